#include "net/otlp.hpp"

#include "base/foreign_text.hpp"
#include "base/json.hpp"
#include "net/tls.hpp"
#include "net/url.hpp"

#include <utility>

#include <fmt/core.h>

namespace slipway::net {
namespace {

constexpr std::size_t longest_text = 1000;
constexpr auto deadline = std::chrono::seconds(5);
constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;
enum Status { ok = 1, error = 2 };
constexpr int internal_kind = 1;

// 64-bit integers are strings in protobuf's JSON.
std::string nanoseconds(std::chrono::system_clock::time_point time) {
  return std::to_string(std::chrono::nanoseconds(time.time_since_epoch()).count());
}

Json json_of(const std::vector<OtlpAttribute>& attributes) {
  Json all = Json::array();
  for (const OtlpAttribute& one : attributes) {
    const auto* text = std::get_if<std::string>(&one.value);
    const Json value = text != nullptr
                           ? Json{{"stringValue", foreign_line(*text, longest_text)}}
                           : Json{{"intValue", std::to_string(std::get<std::int64_t>(one.value))}};
    all.push_back({{"key", one.key}, {"value", value}});
  }
  return all;
}

Json json_of(const OtlpSpan& span) {
  Json made{{"traceId", span.trace_id},
            {"spanId", span.span_id},
            {"name", span.name},
            {"kind", internal_kind},
            {"startTimeUnixNano", nanoseconds(span.start)},
            {"endTimeUnixNano", nanoseconds(span.end)},
            {"attributes", json_of(span.attributes)}};
  if (!span.parent.empty()) made["parentSpanId"] = span.parent;
  made["status"] =
      span.is_good ? Json{{"code", ok}}
                   : Json{{"code", error}, {"message", foreign_line(span.message, longest_text)}};
  return made;
}

}  // namespace

std::string otlp_json(const OtlpTraces& traces) {
  Json spans = Json::array();
  for (const OtlpSpan& span : traces.spans) spans.push_back(json_of(span));
  const Json scope{{"scope", {{"name", traces.scope}}}, {"spans", std::move(spans)}};
  const Json resource{{"attributes", json_of(traces.resource)}};
  return to_text(
      Json{{"resourceSpans",
            Json::array({Json{{"resource", resource}, {"scopeSpans", Json::array({scope})}}})}});
}

Result<HttpRequest> otlp_request(const std::string& url) {
  const auto parsed = parse_url(url);
  if (!parsed) return parsed.error();
  const bool tls = parsed->scheme == "https";
  if (!tls && parsed->scheme != "http") {
    return Error{ErrorKind::usage, "it begins with neither http:// nor https://", {}};
  }
  if (!parsed->user.empty() || !parsed->password.empty()) {
    return Error{ErrorKind::usage, "it has a user or a password, which is not sent", {}};
  }
  HttpRequest request;
  request.host = parsed->host;
  request.port = parsed->port != 0 ? parsed->port : tls ? https_port : http_port;
  request.method = "POST";
  request.target = parsed->target;
  request.deadline = deadline;
  if (tls) {
    auto context = TlsContext::make({});
    if (!context) return context.error();
    request.tls = std::move(*context);
  }
  return request;
}

Result<void> post_otlp(const HttpRequest& request, std::stop_token stop) {
  const auto answer = http_request(request, std::move(stop));
  if (!answer) return answer.error();
  if (answer->status / 100 == 2) return {};
  return Error{ErrorKind::protocol, fmt::format("the collector answered {}", answer->status), {}};
}

}  // namespace slipway::net
