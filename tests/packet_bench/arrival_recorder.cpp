// A web server for tests that does nothing but note when each request came, so that a generator's
// pacing is judged by a clock that is not its own. It shares no code with packet_bench, and spins
// with real-time priority where that is allowed, so that it is not late itself: give it a processor
// of its own.
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace {

constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr std::string_view request_end = "\r\n\r\n";

volatile std::sig_atomic_t stopping = 0;

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

int listen_anywhere() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, generic, size) != 0 || ::listen(listener, 512) != 0) return -1;
  ::getsockname(listener, generic, &size);
  std::printf("{\"event\":\"listening\",\"httpPort\":%d}\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listener;
}

class Recorder {
 public:
  Recorder() { arrivals_.reserve(4'000'000); }

  void serve(int listener) {
    watch(listener);
    while (stopping == 0) {
      std::array<epoll_event, 64> events;
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener) {
          accept(listener);
        } else {
          read_requests(fd);
        }
      }
      take_breath(count > 0);
    }
  }

  bool write(const char* file) const {
    std::FILE* out = std::fopen(file, "wb");
    if (out == nullptr) return false;
    const std::size_t put =
        std::fwrite(arrivals_.data(), sizeof(std::int64_t), arrivals_.size(), out);
    return std::fclose(out) == 0 && put == arrivals_.size();
  }
  std::size_t received() const { return arrivals_.size(); }

 private:
  void watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void accept(int listener) const {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(fd);
  }

  // The kernel stops real-time programs for 50 ms a second unless they leave that to others. Right
  // after a request is when nothing is missed.
  void take_breath(bool served) {
    const std::int64_t now = now_ns();
    if (now - last_breath_ < (served ? 1'000'000 : 2'000'000)) return;
    last_breath_ = now;
    const timespec breath{0, 60'000};
    ::nanosleep(&breath, nullptr);
  }

  // Requests have no body: each blank line ends one, also when it came in two pieces.
  void read_requests(int fd) {
    std::array<char, 65536> buffer;
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    const std::int64_t now = now_ns();
    if (got <= 0) {
      matched_.erase(fd);
      ::close(fd);
      return;
    }
    std::size_t& matched = matched_[fd];
    for (ssize_t i = 0; i < got; ++i) {
      const char c = buffer[static_cast<std::size_t>(i)];
      matched = c == request_end[matched] ? matched + 1 : c == '\r' ? 1 : 0;
      if (matched < request_end.size()) continue;
      matched = 0;
      arrivals_.push_back(now);
      (void)!::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  std::int64_t last_breath_ = 0;
  int epoll_ = ::epoll_create1(0);
  std::unordered_map<int, std::size_t> matched_;  // how much of request_end the connection ended in
  std::vector<std::int64_t> arrivals_;            // ns, CLOCK_MONOTONIC
};

}  // namespace

// arrival_recorder LOG: serves until SIGTERM, then writes the arrivals as int64 nanoseconds.
int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: arrival_recorder LOG\n", stderr);
    return 2;
  }
  std::signal(SIGTERM, [](int) { stopping = 1; });
  std::signal(SIGINT, [](int) { stopping = 1; });
  const sched_param lowest{.sched_priority = 1};
  (void)::sched_setscheduler(0, SCHED_FIFO, &lowest);
  ::prctl(PR_SET_TIMERSLACK, 1);
  const int listener = listen_anywhere();
  if (listener < 0) {
    std::perror("arrival_recorder: error: cannot listen");
    return 1;
  }
  Recorder recorder;
  recorder.serve(listener);
  if (!recorder.write(argv[1])) {
    std::perror("arrival_recorder: error: cannot write the log");
    return 1;
  }
  std::printf("{\"received\":%zu}\n", recorder.received());
  return 0;
}
