#include "deploy/ports/lock.hpp"

#include "base/foreign_text.hpp"
#include "base/units.hpp"
#include "deploy/model/json_value.hpp"

#include <chrono>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// Seconds since an RFC 3339 UTC time; nothing where it cannot be read or lies ahead.
std::optional<long> age_s(const std::string& since) {
  const auto began = parse_utc(since);
  const auto now = std::chrono::system_clock::now();
  if (!began || *began > now) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(now - *began).count();
}

}  // namespace

std::string LockOwner::describe() const {
  std::string text = fmt::format("{} by {} (process {}), since {}", operation, actor, pid, since);
  if (const auto age = age_s(since)) text += fmt::format(" ({} s ago)", *age);
  if (!step.empty()) text += fmt::format(", at step {}", step);
  return foreign_line(text, 400);  // a cluster's object may have been written by anybody
}

std::string LockOwner::to_json_text() const {
  return json_object({{"actor", json_string(actor)},
                      {"operation", json_string(operation)},
                      {"pid", std::to_string(pid)},
                      {"since", json_string(since)},
                      {"step", json_string(step)}});
}

std::optional<LockOwner> parse_lock_owner(std::string_view text) {
  const JsonValue owner = JsonValue::parse(text);
  if (!owner.is_object()) return std::nullopt;
  const auto field = [&](std::string_view name) { return owner.at({name}).text(); };
  return LockOwner{static_cast<pid_t>(owner.at({"pid"}).integer()), field("operation"),
                   field("actor"), field("since"), field("step")};
}

}  // namespace slipway::deploy
