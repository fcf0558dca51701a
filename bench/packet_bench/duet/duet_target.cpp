#include "packet_bench/duet/duet_target.hpp"

#include <fmt/core.h>

namespace slipway::bench {
namespace {

// A service that knows it burns so many percent more processor time, in tests of the gate itself.
constexpr const char* test_extra_cpu_variable = "TEST_EXTRA_CPU_PERCENT";

}  // namespace

std::string text_of(const DuetTarget& target) {
  if (const auto* running = std::get_if<RunningTarget>(&target)) return running->sender.text();
  if (const auto* image = std::get_if<ImageTarget>(&target)) {
    const std::string text = "docker:" + image->reference;
    return image->id.empty() ? text : fmt::format("{} ({})", text, image->id);
  }
  return std::get<std::filesystem::path>(target).string();
}

bool is_web(const DuetTarget& target) {
  if (const auto* running = std::get_if<RunningTarget>(&target)) {
    return running->sender.scheme->is_web();
  }
  const auto* image = std::get_if<ImageTarget>(&target);
  return image != nullptr && image->service;
}

bool is_movable(const DuetTarget& target) {
  const auto* running = std::get_if<RunningTarget>(&target);
  return running == nullptr || running->cost.pid.has_value();
}

Error of_side(std::size_t side, Error error) {
  error.what = fmt::format("{}: {}", side_names[side], error.what);
  return error;
}

Result<Driven> Driven::start(const DuetTarget& target, int extra_cpu_percent,
                             std::stop_token stop) {
  Driven driven;
  if (const auto* running = std::get_if<RunningTarget>(&target)) {
    auto cost = look_at(running->cost);
    if (!cost) return cost.error();
    if (const auto pid = running->cost.pid) {
      driven.processes_ = [pid] { return std::vector{*pid}; };
    }
    driven.side_ = {.sender = running->sender,
                    .receiver = running->receiver,
                    .destination = running->destination,
                    .cost = std::move(*cost)};
    return driven;
  }
  const auto* image = std::get_if<ImageTarget>(&target);
  if (image != nullptr && image->service) {
    return start_service(*image, extra_cpu_percent, std::move(stop));
  }
  EmbeddedConnector::Options options{.extra_cpu_percent = extra_cpu_percent};
  if (image != nullptr) {
    options.image = image->id;
  } else {
    options.executable = std::get<std::filesystem::path>(target);
  }
  auto started = EmbeddedConnector::start(options, std::move(stop));
  if (!started) return started.error();
  const EmbeddedConnector& connector = driven.connector_.emplace(std::move(*started));
  auto cost = look_at({.pid = connector.pid()});
  if (!cost) return cost.error();
  driven.processes_ = [pid = connector.pid()] { return std::vector{pid}; };
  driven.side_ = {.sender = connector.senders().front(),
                  .receiver = connector.receiver(),
                  .destination = connector.destination(),
                  .cost = std::move(*cost)};
  return driven;
}

Result<Driven> Driven::start_service(const ImageTarget& image, int extra_cpu_percent,
                                     std::stop_token stop) {
  service::Service service = *image.service;
  if (extra_cpu_percent > 0) {
    service.environment[test_extra_cpu_variable] = std::to_string(extra_cpu_percent);
  }
  auto started = StartedService::start(image.id, service, std::move(stop));
  if (!started) return started.error();
  Driven driven;
  driven.service_ = std::make_shared<StartedService>(std::move(*started));
  auto cost = look_at({.container = driven.service_->container()});
  if (!cost) return cost.error();
  driven.processes_ = [service = driven.service_] { return service->processes(); };
  driven.side_ = {.sender = driven.service_->target(), .cost = std::move(*cost)};
  return driven;
}

std::optional<std::string> Driven::death() {
  if (service_) return service_->death();
  return connector_ ? connector_->death() : std::nullopt;
}

}  // namespace slipway::bench
