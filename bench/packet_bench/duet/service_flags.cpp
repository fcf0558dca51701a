#include "packet_bench/duet/service_flags.hpp"

#include "packet_bench/run/flag_values.hpp"
#include "service/read_service.hpp"

#include <fmt/core.h>

namespace slipway::bench {
namespace {

Result<void> check_path(const char* flag, const std::string& path) {
  const bool whole = path.starts_with('/') && path.find_first_of(" \r\n") == std::string::npos;
  if (whole) return {};
  return refused_flag(flag, path, "a path, such as /price?pair=XRP-USD");
}

}  // namespace

void ServiceFlags::add() {
  const char* const name = "A service, by HTTP";
  const FlagGroup group(command_, name);
  group.add("--service", "FILE", file_, "slipway.yml: images, requests, rate, allowances");
  group.add("--path", "PATH", path_, "asked of images, and of URLs without one");
  const char* const start = "where images answer HTTP, and 200 once they can serve";
  group.add("--port", "N", port_, start).show_default().within(1, 65535);
  group.add("--ready", "PATH", ready_, start).show_default();
  group.add("--connections", "N", connections_, "to each").show_default().within(1, 10'000);
  http_.add(name);
}

Result<service::Service> ServiceFlags::checked() const {
  service::Service service;
  if (has_file()) {
    auto read = service::read_service(file_);
    if (!read) return read.error();
    service = std::move(*read);
    if (service.gate.rate == 0 && !command_.given("--rate")) {
      return Error{ErrorKind::usage, fmt::format("{} has no gate", file_),
                   "write its gate with request and rate, or give --path and --rate"};
    }
  }
  if (!path_.empty()) {
    if (const auto whole = check_path("--path", path_); !whole) return whole.error();
    service.gate.path = path_;
  }
  if (const auto whole = check_path("--ready", ready_); !whole) return whole.error();
  if (command_.given("--port")) service.port = static_cast<std::uint16_t>(port_);
  if (command_.given("--ready") || !has_file()) service.ready = ready_;
  if (command_.given("--connections")) service.gate.connections = static_cast<int>(connections_);
  return service;
}

Result<HttpRequest> ServiceFlags::request(const service::Service& service) const {
  HttpRequest request = request_of(service.gate);
  if (const auto applied = http_.apply(request, service.gate.served); !applied) {
    return applied.error();
  }
  return request;
}

Result<void> ServiceFlags::check_useful(bool image, bool requests, bool web) const {
  const struct {
    const char* flag;
    bool useful;
    const char* of_use;
  } rules[] = {{"--path", web, "images of a service, and http targets"},
               {"--port", image && web, "images of a service"},
               {"--ready", image && web, "images of a service"},
               {"--connections", requests, "http and ilp+http targets"}};
  for (const auto& [flag, useful, of_use] : rules) {
    if (!useful && command_.given(flag)) return useless_flag(command_, flag, of_use);
  }
  return http_.check_useful(requests, web);
}

}  // namespace slipway::bench
