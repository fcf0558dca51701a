#include "deploy/model/trace.hpp"

#include "base/foreign_text.hpp"
#include "base/json.hpp"
#include "base/sha256.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

using Time = std::chrono::system_clock::time_point;

constexpr std::size_t trace_digits = 32;
constexpr std::size_t span_digits = 16;
constexpr std::size_t longest_text = 1000;
enum Status { ok = 1, error = 2 };
constexpr int internal_kind = 1;

Time later(Time time, double seconds) {
  return time + std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(seconds));
}

// 64-bit integers are strings in protobuf's JSON.
std::string nanoseconds(Time time) {
  const auto since_epoch = std::chrono::nanoseconds(time.time_since_epoch());
  return std::to_string(since_epoch.count());
}

Json text(const std::string& key, const std::string& value) {
  return {{"key", key}, {"value", {{"stringValue", foreign_line(value, longest_text)}}}};
}

Json number(const std::string& key, long long value) {
  return {{"key", key}, {"value", {{"intValue", std::to_string(value)}}}};
}

void add_release(Json& attributes, const std::string& prefix,
                 const std::optional<Release>& release) {
  if (!release || release->empty()) return;
  attributes.push_back(text(prefix + ".digest", release->digest));
  attributes.push_back(text(prefix + ".version", release->version));
}

Json status(bool is_good, const std::string& message) {
  if (is_good) return {{"code", ok}};
  return {{"code", error}, {"message", foreign_line(message, longest_text)}};
}

Json span(const std::string& trace, const std::string& id, const std::string& parent,
          const std::string& name, Time start, double seconds) {
  Json made{{"traceId", trace},
            {"spanId", id},
            {"name", name},
            {"kind", internal_kind},
            {"startTimeUnixNano", nanoseconds(start)},
            {"endTimeUnixNano", nanoseconds(later(start, seconds))}};
  if (!parent.empty()) made["parentSpanId"] = parent;
  return made;
}

Json attributes_of(const Report& report) {
  Json attributes{text("slipway.operation", report.operation),
                  text("slipway.outcome", std::string(outcome(report.exit_code))),
                  number("slipway.exit_code", static_cast<int>(report.exit_code)),
                  text("slipway.transaction", report.transaction),
                  text("slipway.actor", report.actor)};
  add_release(attributes, "slipway.from", report.from);
  add_release(attributes, "slipway.to", report.to);
  add_release(attributes, "slipway.running", report.running);
  return attributes;
}

Json spans_of(const Traced& traced, const std::string& identity, Time began) {
  const Report& report = traced.report;
  const std::string trace = sha256_hex(identity).substr(0, trace_digits);
  const auto span_id = [&](std::size_t index) {
    return sha256_hex(fmt::format("{} {}", identity, index)).substr(0, span_digits);
  };
  const std::string root = span_id(0);
  Json whole = span(trace, root, "", report.operation, began, report.seconds);
  whole["attributes"] = attributes_of(report);
  whole["status"] = status(report.exit_code == ExitCode::done, report.message);
  Json spans = Json::array({std::move(whole)});
  for (const StepReport& step : report.steps) {
    Json one =
        span(trace, span_id(spans.size()), root, step.name, later(began, step.at_s), step.seconds);
    one["attributes"] = Json::array({text("slipway.outcome", step.event)});
    one["status"] = status(step.event == to_string(Event::done), step.detail);
    spans.push_back(std::move(one));
  }
  return spans;
}

}  // namespace

std::string otlp_json(const Traced& traced) {
  const Time began = later(traced.ended, -traced.report.seconds);
  const std::string identity =
      fmt::format("{}\n{}\n{}\n{}\n{}", traced.host, traced.project, traced.report.operation,
                  traced.report.transaction, nanoseconds(began));
  const Json resource{
      {"attributes",
       {text("service.name", "slipway"), text("service.version", traced.tools_version),
        text("host.name", traced.host), text("slipway.project", traced.project)}}};
  const Json scope{{"scope", {{"name", "slipway.deploy"}}},
                   {"spans", spans_of(traced, identity, began)}};
  return to_text(
      Json{{"resourceSpans",
            Json::array({Json{{"resource", resource}, {"scopeSpans", Json::array({scope})}}})}});
}

}  // namespace slipway::deploy
