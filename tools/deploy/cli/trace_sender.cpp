#include "deploy/cli/trace_sender.hpp"

#include "base/build_info.hpp"
#include "base/command_line.hpp"
#include "deploy/model/trace.hpp"
#include "net/http_client.hpp"
#include "net/tls.hpp"
#include "net/url.hpp"

#include <array>
#include <chrono>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

constexpr auto deadline = std::chrono::seconds(5);

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

// Host, port, target and, for https, whom to trust.
Result<net::HttpRequest> request_to(const std::string& traces_url) {
  const auto url = net::parse_url(traces_url);
  if (!url) return url.error();
  const bool tls = url->scheme == "https";
  if (!tls && url->scheme != "http") {
    return Error{ErrorKind::usage, "it begins with neither http:// nor https://", {}};
  }
  if (!url->user.empty() || !url->password.empty()) {
    return Error{ErrorKind::usage, "it has a user or a password, which is not sent", {}};
  }
  net::HttpRequest request;
  request.host = url->host;
  request.port = url->port != 0 ? url->port : tls ? 443 : 80;
  request.method = "POST";
  request.target = url->target;
  request.deadline = deadline;
  if (tls) {
    auto context = net::TlsContext::make({});
    if (!context) return context.error();
    request.tls = std::move(*context);
  }
  return request;
}

Result<void> deliver(const Traced& traced, const std::string& traces_url) {
  auto request = request_to(traces_url);
  if (!request) return request.error();
  request->body = otlp_json(traced);
  const auto answer = net::http_request(*request);
  if (!answer) return answer.error();
  if (answer->status / 100 == 2) return {};
  return Error{ErrorKind::protocol, fmt::format("the collector answered {}", answer->status), {}};
}

}  // namespace

Result<void> check_traces_url(const Config& config) {
  if (config.traces_url.empty()) return {};
  const auto usable = request_to(config.traces_url);
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
