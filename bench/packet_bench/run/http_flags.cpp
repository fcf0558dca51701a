#include "packet_bench/run/http_flags.hpp"

#include "base/durable_file.hpp"
#include "packet_bench/run/flag_values.hpp"
#include "packet_bench/run/request_file.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

bool is_one_line(const std::string& text) {
  return text.find_first_of("\r\n") == std::string::npos;
}

// "Name: value" in two; nothing where it is none.
std::optional<std::pair<std::string, std::string>> header_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string::npos || !is_one_line(text)) return std::nullopt;
  const std::size_t value = std::min(text.find_first_not_of(' ', colon + 1), text.size());
  return std::pair{text.substr(0, colon), text.substr(value)};
}

// "200,204"; false where it is no such list.
bool add_statuses(std::string_view text, std::vector<int>& statuses) {
  for (;;) {
    const std::string_view part = text.substr(0, text.find(','));
    int status = 0;
    const auto [end, failed] = std::from_chars(part.data(), part.data() + part.size(), status);
    if (failed != std::errc{} || end != part.data() + part.size()) return false;
    statuses.push_back(status);
    if (part.size() == text.size()) return true;
    text.remove_prefix(part.size() + 1);
  }
}

}  // namespace

void HttpFlags::add(const std::string& group_name) {
  const FlagGroup group(command_, group_name);
  const char* const request = "http; or lines WEIGHT METHOD PATH";
  Flag method = group.add("--method", "WORD", method_, request);
  group.add("--body", "FILE", body_, request);
  group.add("--requests", "FILE", requests_, request).excludes(method);
  group.add("--header", "'NAME: VALUE'", headers_, "of http requests; repeatable");
  group.add("--pipeline", "N", pipeline_, "http requests in flight on a connection")
      .show_default()
      .within(1, 4096);
  group.add("--served", "RULE", served_, "answers that count [2xx]: status=200,404 body=REGEX");
}

Result<void> HttpFlags::apply_request(HttpRequest& request) const {
  if (command_.given("--pipeline")) request.pipeline = pipeline_;
  for (const std::string& header : headers_) {
    if (!header_of(header)) return refused_flag("--header", header, "'Name: value'");
  }
  if (!headers_.empty()) request.headers = headers_;
  for (const char* const ours : {"content-length", "transfer-encoding", "connection"}) {
    if (!request.has_header(ours)) continue;
    return Error{ErrorKind::usage, fmt::format("the header {} is set here", ours),
                 "leave it out; --body says what is sent"};
  }
  if (!body_.empty()) {
    auto content = read_file(body_, std::size_t{16} << 20);
    if (!content) return Error{ErrorKind::usage, "--body: " + content.error().what, {}};
    request.body = std::move(*content);
    request.method = "POST";
  }
  if (!requests_.empty()) {
    auto parts = read_requests(requests_);
    if (!parts) return parts.error();
    request.parts = std::move(*parts);
  }
  if (method_.empty()) return {};
  if (!is_method(method_)) {
    return refused_flag("--method", method_, "GET, HEAD, POST, PUT, PATCH or DELETE");
  }
  request.method = method_;
  return {};
}

Result<void> HttpFlags::apply_served(service::ServedRule& rule) const {
  // What is given of a kind takes the place of what is there of it.
  bool statuses_given = false;
  for (const std::string& given : served_) {
    const std::size_t equals = std::min(given.find('='), given.size());
    const std::string kind = given.substr(0, equals);
    const std::string value = given.substr(std::min(equals + 1, given.size()));
    const std::size_t second = value.find('=');
    bool right = !value.empty();
    if (kind == "status") {
      if (!std::exchange(statuses_given, true)) rule.statuses.clear();
      right = add_statuses(value, rule.statuses);
    } else if (kind == "header") {
      rule.header = header_of(value);
      right = rule.header.has_value();
    } else if (kind == "json" && second != std::string::npos) {
      rule.json = {value.substr(0, second), value.substr(second + 1)};
    } else if (kind == "body") {
      rule.body = value;
    } else {
      right = false;
    }
    if (!right) {
      return refused_flag("--served", given,
                          "status=200,204, header=NAME: VALUE, json=/POINTER=VALUE or body=REGEX");
    }
  }
  return {};
}

Result<void> HttpFlags::apply(HttpRequest& request, service::ServedRule served) const {
  if (auto applied = apply_request(request); !applied) return applied;
  if (auto applied = apply_served(served); !applied) return applied;
  auto check = ServedCheck::make(served);
  if (!check) return check.error();
  request.served = std::move(*check);
  return {};
}

Result<void> HttpFlags::check_useful(bool requests, bool web) const {
  const char* const of_requests = "http and ilp+http targets";
  const char* const of_web = "http targets";
  const struct {
    const char* flag;
    bool useful;
    const char* of_use;
  } rules[] = {{"--method", web, of_web},
               {"--body", web, of_web},
               {"--requests", web, of_web},
               {"--header", requests, of_requests},
               {"--pipeline", requests, of_requests},
               {"--served", web, of_web}};
  for (const auto& [flag, useful, of_use] : rules) {
    if (!useful && command_.given(flag)) return useless_flag(command_, flag, of_use);
  }
  return {};
}

HttpRequest request_of(const service::GateRules& gate) {
  HttpRequest request{.method = gate.method, .body = gate.body};
  for (const auto& [name, value] : gate.headers) {
    request.headers.push_back(fmt::format("{}: {}", name, value));
  }
  return request;
}

}  // namespace slipway::bench
