// The entry point of a bad release that `slipway rehearse` makes out of a good image: it stands in
// for the service and fails in one of the ways that services do. Linked statically, so that it runs
// in any image, one made from scratch included.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace {

// Exit statuses: 2 usage, 71 no socket, 78 (EX_CONFIG of sysexits.h) as `exit` asks for.
constexpr int exit_usage = 2;
constexpr int exit_no_socket = 71;
constexpr int exit_configuration = 78;

int listen_on(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  void* generic = &address;
  if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(fd, static_cast<sockaddr*>(generic), sizeof address) != 0 || ::listen(fd, 64) != 0) {
    std::perror("saboteur: cannot listen");
    std::exit(exit_no_socket);
  }
  return fd;
}

// Every request gets 503 after this long, and its connection is closed.
[[noreturn]] void refuse_all(std::uint16_t port, std::chrono::seconds after) {
  const int listener = listen_on(port);
  for (;;) {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    std::thread([client, after] {
      char request[4096];
      (void)!::recv(client, request, sizeof request, 0);
      std::this_thread::sleep_for(after);
      const std::string answer =
          "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\nConnection: "
          "close\r\n\r\nsabotage\n";
      (void)!::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::shutdown(client, SHUT_WR);
      ::close(client);
    }).detach();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string manner = argc > 1 ? argv[1] : "";
  const int port = argc > 2 ? std::atoi(argv[2]) : 0;
  if (manner == "exits") {
    std::fputs("saboteur: I refuse to start\n", stderr);
    return exit_configuration;
  }
  if (port > 0 && port < 65536 && (manner == "unhealthy" || manner == "slow")) {
    refuse_all(static_cast<std::uint16_t>(port), std::chrono::seconds(manner == "slow" ? 60 : 0));
  }
  std::fputs("usage: slipway-saboteur exits | unhealthy PORT | slow PORT\n", stderr);
  return exit_usage;
}
