#pragma once

#include "base/unique_fd.hpp"

#include <arpa/inet.h>
#include <cstdint>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>

namespace slipway::test {

// A port on loopback: listening, or with nobody there.
class LoopbackPort {
 public:
  explicit LoopbackPort(bool listening = true)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd_.get(), generic, size) != 0) throw std::runtime_error("bind");
    ::getsockname(fd_.get(), generic, &size);
    number_ = ntohs(address.sin_port);
    if (listening) ::listen(fd_.get(), 5);
  }

  int number() const { return number_; }
  UniqueFd accept() const { return UniqueFd(::accept(fd_.get(), nullptr, nullptr)); }
  // None, if nobody has come.
  UniqueFd accept_if_any() const {
    pollfd waits{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&waits, 1, 0) > 0 ? accept() : UniqueFd();
  }
  // Whoever waits in accept() gets nothing, now and later.
  void stop() const { ::shutdown(fd_.get(), SHUT_RDWR); }

 private:
  UniqueFd fd_;
  int number_ = 0;
};

}  // namespace slipway::test
