#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "net/lookup.hpp"
#include "net/tls.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

namespace slipway::net {

// A connection whose steps wait, looking up a name included, in the clear or through TLS, until one
// deadline for all of them or a stop request. Errors: unreachable, timeout, cancelled; `what` is
// the cause alone.
class BlockingStream {
 public:
  BlockingStream(std::chrono::nanoseconds allowed, std::stop_token stop,
                 NameLookup lookup = &look_up);

  Result<void> connect_unix(const std::string& path);
  // Tries the addresses of the name in turn.
  Result<void> connect_tcp(const std::string& host, std::uint16_t port);
  // The peer must prove to be `host`, unless the context says otherwise.
  Result<void> shake_hands(const TlsContext& tls, const std::string& host);

  Result<void> write(std::string_view bytes);
  // At least one byte, or 0: the other side has closed.
  Result<std::size_t> read_some(std::span<std::uint8_t> room);

 private:
  Result<void> connect(int family, const void* address, std::size_t size);
  Result<void> wait(int fd, short events);
  Result<SocketAddresses> resolve(const std::string& host, std::uint16_t port);
  Result<void> step(TlsStep outcome);

  NameLookup lookup_;
  std::chrono::nanoseconds allowed_;
  std::chrono::steady_clock::time_point deadline_;
  std::stop_token stop_;
  UniqueFd wake_;  // readable once a stop was requested
  std::stop_callback<std::function<void()>> on_stop_;
  UniqueFd fd_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace slipway::net
