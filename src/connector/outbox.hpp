#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace slipway::connector {

// What waits to be written to one socket. Frames are built in place at the end of bytes(), and
// written many at once.
class Outbox {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class Outcome { all_written, socket_full, failed };

  std::vector<std::uint8_t>& bytes() { return bytes_; }
  std::size_t unsent() const { return bytes_.size() - sent_; }

  // Hands the kernel what it takes without blocking.
  Outcome write_to(int socket);
  // Since when the socket has taken nothing of what there is.
  std::optional<TimePoint> stuck_since() const { return stuck_since_; }

 private:
  void forget_written();

  std::vector<std::uint8_t> bytes_;
  std::size_t sent_ = 0;
  std::optional<TimePoint> stuck_since_;
};

}  // namespace slipway::connector
