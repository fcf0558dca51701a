#include "deploy/model/trace.hpp"

#include "base/sha256.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

using Time = std::chrono::system_clock::time_point;
using Attributes = std::vector<net::OtlpAttribute>;

constexpr std::size_t trace_digits = 32;
constexpr std::size_t span_digits = 16;

Time later(Time time, double seconds) {
  return time + std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(seconds));
}

void add_release(Attributes& attributes, const std::string& prefix,
                 const std::optional<Release>& release) {
  if (!release || release->empty()) return;
  attributes.push_back({prefix + ".digest", release->digest});
  attributes.push_back({prefix + ".version", release->version});
}

Attributes attributes_of(const Report& report) {
  Attributes attributes{{"slipway.operation", report.operation},
                        {"slipway.outcome", std::string(outcome(report.exit_code))},
                        {"slipway.exit_code", std::int64_t{static_cast<int>(report.exit_code)}},
                        {"slipway.transaction", report.transaction},
                        {"slipway.actor", report.actor}};
  add_release(attributes, "slipway.from", report.from);
  add_release(attributes, "slipway.to", report.to);
  add_release(attributes, "slipway.running", report.running);
  return attributes;
}

}  // namespace

net::OtlpTraces trace_of(const Traced& traced) {
  const Report& report = traced.report;
  const Time began = later(traced.ended, -report.seconds);
  const std::string identity =
      fmt::format("{}\n{}\n{}\n{}\n{}", traced.host, traced.project, report.operation,
                  report.transaction, std::chrono::nanoseconds(began.time_since_epoch()).count());
  const std::string trace = sha256_hex(identity).substr(0, trace_digits);
  const auto span_id = [&](std::size_t index) {
    return sha256_hex(fmt::format("{} {}", identity, index)).substr(0, span_digits);
  };
  net::OtlpTraces traces{.resource = {{"service.name", "slipway"},
                                      {"service.version", traced.tools_version},
                                      {"host.name", traced.host},
                                      {"slipway.project", traced.project}},
                         .scope = "slipway.deploy",
                         .spans = {}};
  traces.spans.push_back({.trace_id = trace,
                          .span_id = span_id(0),
                          .parent = {},
                          .name = report.operation,
                          .start = began,
                          .end = later(began, report.seconds),
                          .attributes = attributes_of(report),
                          .is_good = report.exit_code == ExitCode::done,
                          .message = report.message});
  for (const StepReport& step : report.steps) {
    const Time start = later(began, step.at_s);
    traces.spans.push_back({.trace_id = trace,
                            .span_id = span_id(traces.spans.size()),
                            .parent = span_id(0),
                            .name = step.name,
                            .start = start,
                            .end = later(start, step.seconds),
                            .attributes = {{"slipway.outcome", step.event}},
                            .is_good = step.event == to_string(Event::done),
                            .message = step.detail});
  }
  return traces;
}

}  // namespace slipway::deploy
