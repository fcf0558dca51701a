#include "deploy/model/health_answer.hpp"

#include "deploy/model/json_value.hpp"

namespace slipway::deploy {

HealthAnswer parse_health(int status, std::string_view body) {
  const JsonValue document = JsonValue::parse(body);
  HealthAnswer answer{status,
                      document.is_object(),
                      document.at({"status"}).text(),
                      document.at({"releaseId"}).text(),
                      document.at({"version"}).text(),
                      document.at({"role"}).text()};
  if (status != 200 || !answer.well_formed) answer.said = body.substr(0, most_said);
  return answer;
}

}  // namespace slipway::deploy
