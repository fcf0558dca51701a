#include "connector/outbox.hpp"

#include <cerrno>
#include <sys/socket.h>

namespace slipway::connector {
namespace {

// A buffer that had to grow beyond this is not kept.
constexpr std::size_t keep_capacity = std::size_t{1} << 20;

}  // namespace

Outbox::Outcome Outbox::write_to(int socket) {
  while (unsent() > 0) {
    const ssize_t sent =
        ::send(socket, bytes_.data() + sent_, unsent(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      sent_ += static_cast<std::size_t>(sent);
      stuck_since_.reset();
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!stuck_since_) stuck_since_ = std::chrono::steady_clock::now();
      forget_written();
      return Outcome::socket_full;
    } else if (errno != EINTR) {
      return Outcome::failed;
    }
  }
  forget_written();
  return Outcome::all_written;
}

void Outbox::forget_written() {
  if (unsent() == 0) {
    bytes_.clear();
    sent_ = 0;
    if (bytes_.capacity() > keep_capacity) bytes_.shrink_to_fit();
  } else if (sent_ > bytes_.size() / 2) {
    // So that each byte is moved at most once for each byte that was written.
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(sent_));
    sent_ = 0;
  }
}

}  // namespace slipway::connector
