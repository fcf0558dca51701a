#include "deploy/ports/lock.hpp"

#include <ctime>
#include <optional>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// Seconds since an RFC 3339 UTC time; nothing where it cannot be read or lies ahead.
std::optional<long> age_s(const std::string& since) {
  std::tm utc{};
  if (::strptime(since.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) == nullptr) return std::nullopt;
  const long age = static_cast<long>(::time(nullptr) - ::timegm(&utc));
  if (age < 0) return std::nullopt;
  return age;
}

}  // namespace

std::string LockOwner::describe() const {
  std::string text = fmt::format("{} by {} (process {}), since {}", operation, actor, pid, since);
  if (const auto age = age_s(since)) text += fmt::format(" ({} s ago)", *age);
  if (!step.empty()) text += fmt::format(", at step {}", step);
  return text;
}

}  // namespace slipway::deploy
