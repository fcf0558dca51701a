#include "net/lookup.hpp"

#include "base/unique_fd.hpp"

#include <cerrno>
#include <mutex>
#include <netdb.h>
#include <optional>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>

#include <fmt/core.h>

namespace slipway::net {
namespace {

Error cannot_look_up(const std::string& host, const std::string& why) {
  return {ErrorKind::unreachable, fmt::format("cannot look up {}: {}", host, why), {}};
}

}  // namespace

// Shared by who waits and the thread that looks up, whichever ends last.
struct PendingLookup::State {
  UniqueFd answered{::eventfd(0, EFD_CLOEXEC)};
  std::mutex mutex;
  std::optional<Result<SocketAddresses>> answer;
};

Result<SocketAddresses> look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0) return cannot_look_up(host, ::gai_strerror(status));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, ::freeaddrinfo);
  SocketAddresses addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(each->ai_addr);
    addresses.emplace_back(bytes, bytes + each->ai_addrlen);
  }
  return addresses;
}

Result<PendingLookup> PendingLookup::begin(const std::string& host, std::uint16_t port,
                                           NameLookup lookup) {
  const auto state = std::make_shared<State>();
  if (!state->answered) return cannot_look_up(host, std::generic_category().message(errno));
  try {
    std::thread([state, host, port, lookup] {
      auto answer = lookup(host, port);
      {
        const std::lock_guard lock(state->mutex);
        state->answer.emplace(std::move(answer));
      }
      ::eventfd_write(state->answered.get(), 1);
    }).detach();
  } catch (const std::system_error& failed) {
    return cannot_look_up(host, failed.what());
  }
  return PendingLookup(state);
}

int PendingLookup::fd() const {
  return state_->answered.get();
}

Result<SocketAddresses> PendingLookup::take() {
  const std::lock_guard lock(state_->mutex);
  return std::move(*state_->answer);
}

}  // namespace slipway::net
