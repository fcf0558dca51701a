#include "packet_bench/target/served_check.hpp"

#include "base/json.hpp"
#include "packet_bench/target/http_response.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <regex>
#include <vector>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

constexpr int most_statuses = 1000;

// What an answer can lack.
enum class Lack : std::size_t { status, header, json, body };
constexpr std::array<std::string_view, 4> suffixes{"", ", wrong header", ", wrong JSON",
                                                   ", wrong body"};

// A status as a code of its own, so that it stands beside ILP's in the counts; likewise one that
// was as wanted, of an answer that was not.
std::string_view code_of(int status, Lack lack) {
  static const auto texts = [] {
    std::array<std::vector<std::string>, suffixes.size()> all;
    for (std::size_t i = 0; i < suffixes.size(); ++i) {
      for (int j = 0; j < most_statuses; ++j) {
        all[i].push_back(fmt::format("HTTP {}{}", j, suffixes[i]));
      }
    }
    return all;
  }();
  return texts[static_cast<std::size_t>(lack)]
              [static_cast<std::size_t>(std::clamp(status, 0, most_statuses - 1))];
}

Error bad_rule(std::string_view what, std::string_view text, std::string_view why) {
  return {ErrorKind::usage, fmt::format("served {} '{}' {}", what, text, why),
          "correct what counts as served"};
}

}  // namespace

struct ServedCheck::Rule {
  service::ServedRule written;
  std::optional<Json::json_pointer> pointer;
  Json value;
  std::optional<std::regex> expression;

  bool has_status(int status) const {
    const std::vector<int>& wanted = written.statuses;
    if (wanted.empty()) return status >= 200 && status <= 299;
    return std::find(wanted.begin(), wanted.end(), status) != wanted.end();
  }
  bool has_value(const std::string& body) const {
    const Json document = parse_json(body);
    return !document.is_discarded() && document.contains(*pointer) && document[*pointer] == value;
  }
  bool has_match(std::string_view body) const {
    const std::string_view searched = body.substr(0, searched_bytes);
    return std::regex_search(searched.begin(), searched.end(), *expression);
  }
};

ServedCheck::ServedCheck() : rule_(std::make_shared<Rule>()) {}

ServedCheck::ServedCheck(std::shared_ptr<const Rule> rule) : rule_(std::move(rule)) {}

Result<ServedCheck> ServedCheck::make(const service::ServedRule& written) {
  auto rule = std::make_shared<Rule>();
  rule->written = written;
  for (const int status : written.statuses) {
    if (status < 200 || status > 599) {
      return bad_rule("status", std::to_string(status), "is not from 200 to 599");
    }
  }
  if (written.json) {
    const auto& [pointer, value] = *written.json;
    try {
      rule->pointer = Json::json_pointer(pointer);
    } catch (const Json::exception&) {
      return bad_rule("JSON pointer", pointer, "is none, such as /status");
    }
    rule->value = parse_json(value);
    if (rule->value.is_discarded()) rule->value = value;  // a word without its quotes
  }
  if (!written.body.empty()) {
    if (written.body.size() > longest_expression) {
      return bad_rule("body", written.body.substr(0, 20) + "...",
                      fmt::format("is longer than {} bytes", longest_expression));
    }
    try {
      rule->expression.emplace(written.body, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error& error) {
      return bad_rule("body", written.body,
                      fmt::format("is no regular expression: {}", error.what()));
    }
  }
  return ServedCheck(std::move(rule));
}

std::string_view ServedCheck::refusal(const HttpResponse& response) const {
  const Rule& rule = *rule_;
  if (!rule.has_status(response.status)) return code_of(response.status, Lack::status);
  if (rule.written.header) {
    const auto& [name, value] = *rule.written.header;
    if (response.header(name) != value) return code_of(response.status, Lack::header);
  }
  if (!rule.pointer && !rule.expression) return {};
  const std::string body = response.chunked ? unchunked(response.body) : std::string(response.body);
  if (rule.pointer && !rule.has_value(body)) return code_of(response.status, Lack::json);
  if (rule.expression && !rule.has_match(body)) return code_of(response.status, Lack::body);
  return {};
}

}  // namespace slipway::bench
