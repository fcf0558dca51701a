#include "packet_bench/duet_target.hpp"

namespace slipway::bench {

std::string text_of(const DuetTarget& target) {
  if (const auto* running = std::get_if<RunningTarget>(&target)) return running->sender.text();
  return std::get<std::filesystem::path>(target).string();
}

bool is_movable(const DuetTarget& target) {
  const auto* running = std::get_if<RunningTarget>(&target);
  return running == nullptr || running->cost.pid.has_value();
}

Result<Driven> Driven::start(const DuetTarget& target, int extra_cpu_percent,
                             std::stop_token stop) {
  Driven driven;
  if (const auto* running = std::get_if<RunningTarget>(&target)) {
    auto cost = look_at(running->cost);
    if (!cost) return cost.error();
    driven.process_ = running->cost.pid;
    driven.side_ = {.sender = running->sender,
                    .receiver = running->receiver,
                    .destination = running->destination,
                    .cost = std::move(*cost)};
    return driven;
  }
  auto started = EmbeddedConnector::start({.executable = std::get<std::filesystem::path>(target),
                                           .extra_cpu_percent = extra_cpu_percent},
                                          std::move(stop));
  if (!started) return started.error();
  const EmbeddedConnector& connector = driven.connector_.emplace(std::move(*started));
  auto cost = look_at({.pid = connector.pid()});
  if (!cost) return cost.error();
  driven.process_ = connector.pid();
  driven.side_ = {.sender = connector.senders().front(),
                  .receiver = connector.receiver(),
                  .destination = connector.destination(),
                  .cost = std::move(*cost)};
  return driven;
}

std::optional<std::string> Driven::death() {
  return connector_ ? connector_->death() : std::nullopt;
}

}  // namespace slipway::bench
