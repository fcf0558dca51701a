#include "packet_bench/duet/duet_target.hpp"

#include <fmt/core.h>

namespace slipway::bench {

std::string text_of(const DuetTarget& target) {
  if (const auto* running = std::get_if<RunningTarget>(&target)) return running->sender.text();
  if (const auto* image = std::get_if<ImageTarget>(&target)) {
    const std::string text = "docker:" + image->reference;
    return image->id.empty() ? text : fmt::format("{} ({})", text, image->id);
  }
  return std::get<std::filesystem::path>(target).string();
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
    driven.process_ = running->cost.pid;
    driven.side_ = {.sender = running->sender,
                    .receiver = running->receiver,
                    .destination = running->destination,
                    .cost = std::move(*cost)};
    return driven;
  }
  EmbeddedConnector::Options options{.extra_cpu_percent = extra_cpu_percent};
  if (const auto* image = std::get_if<ImageTarget>(&target)) {
    options.image = image->id;
  } else {
    options.executable = std::get<std::filesystem::path>(target);
  }
  auto started = EmbeddedConnector::start(options, std::move(stop));
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
