#include "deploy/cli/trace_sender.hpp"

#include "base/build_info.hpp"
#include "base/command_line.hpp"
#include "deploy/model/trace.hpp"
#include "net/otlp.hpp"

#include <array>
#include <chrono>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

Result<void> deliver(const Traced& traced, const std::string& traces_url) {
  auto request = net::otlp_request(traces_url);
  if (!request) return request.error();
  request->body = net::otlp_json(trace_of(traced));
  return net::post_otlp(*request);
}

}  // namespace

Result<void> check_traces_url(const Config& config) {
  if (config.traces_url.empty()) return {};
  const auto usable = net::otlp_request(config.traces_url);
  if (usable) return {};
  return Error{ErrorKind::usage,
               fmt::format("cannot use field tracesUrl of {}: {}", config.file.string(),
                           usable.error().what),
               "write it as http://HOST:4318/v1/traces"};
}

void send_trace(const Report& report, const Config& config, const std::string& program) {
  const bool nothing_was_done = report.operation == "resume" && report.steps.empty();
  if (config.traces_url.empty() || nothing_was_done) return;
  const std::string version(build_info().version);
  const auto sent =
      deliver({config.project, host_name(), version, report, std::chrono::system_clock::now()},
              config.traces_url);
  if (!sent) {
    print_warning(program, fmt::format("the trace was not sent: {}; the outcome is not affected",
                                       sent.error().text()));
  }
}

}  // namespace slipway::deploy
