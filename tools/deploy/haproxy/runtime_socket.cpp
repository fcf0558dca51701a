#include "deploy/haproxy/runtime_socket.hpp"

#include "base/unique_fd.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

constexpr std::chrono::seconds answer_deadline{5};
constexpr std::size_t largest_answer = std::size_t{1} << 20;

}  // namespace

Result<std::string> ask_haproxy(const std::filesystem::path& path, const std::string& command) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.string().size() >= sizeof address.sun_path) {
    return Error{ErrorKind::usage, fmt::format("the path {} is too long", path.string()),
                 "choose a shorter stateDir"};
  }
  std::memcpy(address.sun_path, path.c_str(), path.string().size() + 1);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const void* generic = &address;
  if (!fd || ::connect(fd.get(), static_cast<const sockaddr*>(generic), sizeof address) != 0) {
    Error error = io_error("cannot reach HAProxy on", path.string(), errno);
    error.kind = ErrorKind::unreachable;
    return error;
  }
  const std::string line = command + "\n";
  if (::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(line.size())) {
    return io_error("cannot write to", path.string(), errno);
  }
  std::string answer;
  const auto give_up = std::chrono::steady_clock::now() + answer_deadline;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        give_up - std::chrono::steady_clock::now());
    pollfd waiting{fd.get(), POLLIN, 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) == 0) {
      return Error{ErrorKind::timeout, fmt::format("HAProxy did not answer '{}'", command), {}};
    }
    char block[4096];
    const ssize_t got = ::recv(fd.get(), block, sizeof block, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("cannot read from", path.string(), errno);
    if (got == 0) return answer;
    answer.append(block, static_cast<std::size_t>(got));
    if (answer.size() > largest_answer) {
      return Error{
          ErrorKind::protocol, fmt::format("HAProxy's answer to '{}' does not end", command), {}};
    }
  }
}

}  // namespace slipway::deploy
