#include "net/blocking_stream.hpp"

#include "base/units.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>

#include <climits>
#include <fmt/core.h>

namespace slipway::net {
namespace {

Error refused(int error) {
  return {ErrorKind::unreachable, std::generic_category().message(error), {}};
}

}  // namespace

BlockingStream::BlockingStream(std::chrono::nanoseconds allowed, std::stop_token stop,
                               NameLookup lookup)
    : lookup_(lookup),
      allowed_(allowed),
      deadline_(std::chrono::steady_clock::now() + allowed),
      stop_(std::move(stop)),
      wake_(::eventfd(0, EFD_CLOEXEC)),
      on_stop_(stop_, [this] { ::eventfd_write(wake_.get(), 1); }) {}

Result<void> BlockingStream::wait(int fd, short events) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    if (stop_.stop_requested()) return Error{ErrorKind::cancelled, "a stop was requested", {}};
    if (left.count() <= 0) {
      return Error{ErrorKind::timeout, "no answer within " + format_duration(allowed_), {}};
    }
    std::array<pollfd, 2> watched{pollfd{fd, events, 0}, pollfd{wake_.get(), POLLIN, 0}};
    const int most = left.count() > INT_MAX ? INT_MAX : static_cast<int>(left.count());
    if (::poll(watched.data(), watched.size(), most) > 0 && watched[0].revents != 0) return {};
  }
}

Result<void> BlockingStream::connect(int family, const void* address, std::size_t size) {
  fd_.reset(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_) return refused(errno);
  if (::connect(fd_.get(), static_cast<const sockaddr*>(address), static_cast<socklen_t>(size)) ==
      0) {
    return {};
  }
  // A unix socket whose backlog is full answers EAGAIN, and polling it would not help.
  if (errno != EINPROGRESS) return refused(errno);
  if (auto connected = wait(fd_.get(), POLLOUT); !connected) return connected;
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return refused(error);
  return {};
}

Result<void> BlockingStream::connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return refused(ENAMETOOLONG);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return connect(AF_UNIX, &address, sizeof address);
}

Result<SocketAddresses> BlockingStream::resolve(const std::string& host, std::uint16_t port) {
  auto lookup = PendingLookup::begin(host, port, lookup_);
  if (!lookup) return lookup.error();
  if (const auto answered = wait(lookup->fd(), POLLIN); !answered) return answered.error();
  return lookup->take();
}

Result<void> BlockingStream::connect_tcp(const std::string& host, std::uint16_t port) {
  const auto addresses = resolve(host, port);
  if (!addresses) return addresses.error();
  Result<void> connected = refused(EADDRNOTAVAIL);
  for (const std::vector<std::uint8_t>& each : *addresses) {
    const auto* address = reinterpret_cast<const sockaddr*>(each.data());
    connected = connect(address->sa_family, address, each.size());
    if (connected) break;
  }
  return connected;
}

// A step of TLS that is to be tried again is one after which this returns success.
Result<void> BlockingStream::step(TlsStep outcome) {
  switch (outcome) {
    case TlsStep::wants_read:
      return wait(fd_.get(), POLLIN);
    case TlsStep::wants_write:
      return wait(fd_.get(), POLLOUT);
    case TlsStep::failed:
      return Error{ErrorKind::unreachable, tls_->failure(), {}};
    case TlsStep::closed:
      return Error{ErrorKind::unreachable, "closed by the other side", {}};
    case TlsStep::done:
      break;
  }
  return {};
}

Result<void> BlockingStream::shake_hands(const TlsContext& tls, const std::string& host) {
  tls_ = tls.session(host, fd_.get());
  for (;;) {
    const TlsStep outcome = tls_->handshake();
    auto stepped = step(outcome);
    if (!stepped || outcome == TlsStep::done) return stepped;
  }
}

Result<void> BlockingStream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t put = 0;
    if (tls_) {
      const std::span data(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
      if (auto stepped = step(tls_->write(data, put)); !stepped) return stepped;
    } else {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return refused(errno);
      if (sent < 0) {
        if (auto ready = wait(fd_.get(), POLLOUT); !ready) return ready;
      }
      put = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    }
    bytes.remove_prefix(put);
  }
  return {};
}

Result<std::size_t> BlockingStream::read_some(std::span<std::uint8_t> room) {
  for (;;) {
    std::size_t got = 0;
    if (tls_) {
      const TlsStep outcome = tls_->read(room, got);
      if (outcome == TlsStep::done || outcome == TlsStep::closed) return got;
      if (auto stepped = step(outcome); !stepped) return stepped.error();
      continue;
    }
    const ssize_t received = ::recv(fd_.get(), room.data(), room.size(), 0);
    if (received >= 0) return static_cast<std::size_t>(received);
    if (errno != EAGAIN && errno != EINTR) return refused(errno);
    if (auto ready = wait(fd_.get(), POLLIN); !ready) return ready.error();
  }
}

}  // namespace slipway::net
