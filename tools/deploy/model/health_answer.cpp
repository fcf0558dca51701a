#include "deploy/model/health_answer.hpp"

#include "deploy/model/json_value.hpp"

namespace slipway::deploy {

HealthAnswer parse_health(int status, std::string_view body) {
  const JsonValue document = JsonValue::parse(body);
  return {status,
          document.is_object(),
          document.at({"status"}).text(),
          document.at({"releaseId"}).text(),
          document.at({"version"}).text(),
          document.at({"role"}).text(),
          false};
}

}  // namespace slipway::deploy
