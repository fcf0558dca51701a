#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace slipway::deploy {

// Who holds the lock, as the holder wrote it down. For people; it decides nothing.
struct LockOwner {
  pid_t pid = 0;
  std::string operation;  // "deploy registry/repo@sha256:..."
  std::string actor;      // who, from where
  std::string since;      // RFC 3339 UTC
  std::string step;

  // "deploy of ... by root from 192.0.2.1 (process 4711), since 12:00:00Z (12 s ago), at prove"
  std::string describe() const;
  // As JSON, one line.
  std::string to_json_text() const;
};

// Nothing where the text is no such JSON.
std::optional<LockOwner> parse_lock_owner(std::string_view text);

// One operation at a time: held as long as the object lives, and freed however its process ends, at
// once or, where it is kept elsewhere, a little later.
class Lock {
 public:
  virtual ~Lock() = default;

  virtual void note_step(const std::string& step) = 0;
  // Rewrites the owner, after a change of process.
  virtual void note_owner(const LockOwner& owner) = 0;

  // What Store::adopt_lock() takes, in a process that this one starts.
  virtual std::string handle() const = 0;
  // Lets the lock outlive an exec. Called between fork and exec: only what is safe in a signal
  // handler.
  virtual void keep_across_exec() const = 0;
};

}  // namespace slipway::deploy
