#include "deploy/ports/lock.hpp"

#include "base/units.hpp"

#include <chrono>
#include <optional>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// Seconds since an RFC 3339 UTC time; nothing where it cannot be read or lies ahead.
std::optional<long> age_s(const std::string& since) {
  const auto then = parse_utc(since);
  if (!then) return std::nullopt;
  const auto age =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now() - *then);
  if (age.count() < 0) return std::nullopt;
  return age.count();
}

}  // namespace

std::string LockOwner::describe() const {
  std::string text = fmt::format("{} by {} (process {}), since {}", operation, actor, pid, since);
  if (const auto age = age_s(since)) text += fmt::format(" ({} s ago)", *age);
  if (!step.empty()) text += fmt::format(", at step {}", step);
  return text;
}

}  // namespace slipway::deploy
