#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace slipway::net {

// Addresses of a host and port, each as a sockaddr's bytes.
using SocketAddresses = std::vector<std::vector<std::uint8_t>>;

// The addresses of a name, as the system finds them; waits as long as that takes. Errors:
// unreachable.
Result<SocketAddresses> look_up(const std::string& host, std::uint16_t port);
// What does so; called on a thread that may outlive who asked.
using NameLookup = Result<SocketAddresses> (*)(const std::string& host, std::uint16_t port);

// A lookup that is under way. getaddrinfo has no deadline but that of the system's resolver, and no
// end before it: it waits on a thread of its own, which is left to itself when this one is gone.
class PendingLookup {
 public:
  // Errors: unreachable, where there is no room for one.
  static Result<PendingLookup> begin(const std::string& host, std::uint16_t port,
                                     NameLookup lookup);

  // Readable once there is an answer.
  int fd() const;
  // The answer, once; not before.
  Result<SocketAddresses> take();

 private:
  struct State;
  explicit PendingLookup(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::shared_ptr<State> state_;
};

}  // namespace slipway::net
