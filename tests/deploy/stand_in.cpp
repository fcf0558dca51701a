// A stand-in for a service, for faults that a real one does not have. It speaks all that deploy may
// rely on: /health, /health/ready, /metrics on 8080, a byte echo on 4000, roles by SIGUSR1 and
// SIGUSR2. How it misbehaves is STAND_IN_MANNER. With STAND_IN_KIND=plain or html it is a web
// service that knows nothing of roles: any signal ends it, and its health is JSON without them, or
// a page. Linked statically: its image holds nothing else.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;

enum class Role : int { standby, active, drained };
std::atomic<Role> role{Role::standby};
std::atomic<int> requests{0};
std::atomic<bool> sick{false};
// Jobs as its metrics tell them: a thousand a second while it is active.
std::atomic<std::chrono::steady_clock::rep> active_since{0};
std::atomic<long> jobs_before{0};
std::string manner;
std::string revision;
std::string kind;

std::string variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

int listen_on(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  void* generic = &address;
  if (::bind(fd, static_cast<sockaddr*>(generic), sizeof address) != 0 || ::listen(fd, 64) != 0) {
    std::perror("stand_in: cannot listen");
    std::exit(1);
  }
  return fd;
}

void say(int fd, const std::string& text) {
  (void)!::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

std::string response(int status, const std::string& body, const std::string& more = "") {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n" +
         more + "\r\n" + body;
}

long jobs() {
  const auto since = active_since.load();
  if (since == 0) return jobs_before;
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return jobs_before + (now - since) / 1'000'000;
}

void become(Role wanted) {
  jobs_before = jobs();
  active_since =
      wanted == Role::active ? std::chrono::steady_clock::now().time_since_epoch().count() : 0;
  role = wanted;
}

std::string metrics() {
  const long all = manner == "idle" ? 0 : jobs();
  const long rejected = manner == "rejects" ? all / 2 : 0;
  return "jobs_total{result=\"good\"} " + std::to_string(all - rejected) +
         "\njobs_total{result=\"bad\"} " + std::to_string(rejected) + "\n";
}

std::string health_body() {
  if (kind == "html") return "<!doctype html><title>up</title>\n";
  if (kind == "plain") return R"({"releaseId":")" + revision + "\"}";
  const char* names[] = {"standby", "active", "drained"};
  return "{\"status\":\"pass\",\"version\":\"0\",\"releaseId\":\"" +
         (manner == "lies" ? "0000" : revision) + "\",\"role\":\"" +
         names[static_cast<int>(role.load())] + "\"}";
}

// The misbehaviours that need the socket. True: it was answered (or will never be).
bool misbehave(int fd) {
  if (manner == "hangs") std::this_thread::sleep_for(600s);
  if (manner == "drips") {
    for (const char c : response(200, health_body())) {
      say(fd, std::string(1, c));
      std::this_thread::sleep_for(500ms);
    }
    return true;
  }
  if (manner == "gigabyte") {
    say(fd, "HTTP/1.1 200 X\r\nContent-Length: 1073741824\r\n\r\n");
    const std::string block(65536, 'x');
    for (int i = 0; i < 16384; ++i) {
      if (::send(fd, block.data(), block.size(), MSG_NOSIGNAL) <= 0) return true;
    }
    return true;
  }
  if (manner == "forbids") {
    say(fd, response(403, "<h1>Invalid Host header</h1>\n<p>allowed: api.example.org</p>\n"));
    return true;
  }
  if (manner == "redirects") {
    say(fd, response(302, "", "Location: http://127.0.0.1:8080/elsewhere\r\n"));
    return true;
  }
  return false;
}

void echo(int fd) {
  char block[4096];
  for (;;) {
    const ssize_t got = ::recv(fd, block, sizeof block, 0);
    if (got <= 0) break;
    (void)!::send(fd, block, static_cast<std::size_t>(got), MSG_NOSIGNAL);
  }
  ::close(fd);
}

void answer(int fd) {
  char block[4096];
  const ssize_t got = ::recv(fd, block, sizeof block - 1, 0);
  const std::string request(block, got > 0 ? static_cast<std::size_t>(got) : 0);
  const bool flap = manner == "flaps" && requests++ % 3 == 2;
  if (request.starts_with("GET /metrics")) {
    say(fd, response(200, metrics()));
  } else if (request.starts_with("GET /wait/")) {
    std::this_thread::sleep_for(std::chrono::seconds(std::atoi(request.c_str() + 10)));
    say(fd, response(200, revision));
  } else if (request.find("pgrade: websocket") != std::string::npos) {
    // The answer to the key of RFC 6455's example; what follows comes back as it is.
    say(fd,
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    echo(fd);
    return;
  } else if (request.starts_with("GET /work")) {
    say(fd, response(manner == "errors" ? 500 : 200, revision));
  } else if (request.starts_with("GET /sicken")) {
    sick = true;
    say(fd, response(200, "never ready again\n"));
  } else if (request.starts_with("GET /health") && !misbehave(fd)) {
    const bool asked_alive = kind.empty() && request.find("/ready") == std::string::npos;
    const bool ready = asked_alive || (role != Role::drained && manner != "never_ready" && !sick);
    say(fd, response(flap || !ready ? 503 : 200, health_body()));
  }
  ::close(fd);
}

void serve_http(int listener) {
  for (;;) {
    const int fd = ::accept(listener, nullptr, nullptr);
    if (fd >= 0) std::thread(answer, fd).detach();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "probe") == 0) {
    if (variable("STAND_IN_MANNER", "good") == "probe_hangs") std::this_thread::sleep_for(600s);
    if (variable("STAND_IN_MANNER", "good") != "probe_fails") return 0;
    std::fprintf(stderr, "stand_in: %s was rejected\n", variable("PROBE_TOKEN", "?").c_str());
    return 1;
  }
  if (argc > 2 && std::strcmp(argv[1], "role") == 0) {
    return ::kill(1, std::strcmp(argv[2], "active") == 0 ? SIGUSR2 : SIGUSR1);
  }
  manner = variable("STAND_IN_MANNER", "good");
  revision = variable("STAND_IN_REVISION", "unknown");
  kind = variable("STAND_IN_KIND", "");
  if (variable("STAND_IN_ROLE", variable("CONNECTOR_ROLE", "active").c_str()) == "active")
    become(Role::active);
  if (manner == "tells") {
    for (char** one = environ; *one != nullptr; ++one) {
      for (const char* c = *one; *c != '\0'; ++c) std::fprintf(stderr, "%c ", *c);
      std::fputc('\n', stderr);
    }
    return 1;
  }
  if (manner == "eats") {
    std::vector<std::string> eaten;
    for (;;) eaten.emplace_back(std::size_t{1} << 20, 'x');
  }
  if (manner == "exits") {
    std::fprintf(stderr, "stand_in: I exit at once\n");
    return 42;
  }
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT}) ::sigaddset(&signals, number);
  if (kind.empty()) {
    for (const int number : {SIGUSR1, SIGUSR2}) ::sigaddset(&signals, number);
  }
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const int http = listen_on(8080);
  const int btp = listen_on(4000);
  std::thread(serve_http, http).detach();
  std::thread([btp] {
    for (;;) {
      const int fd = ::accept(btp, nullptr, nullptr);
      if (fd >= 0) std::thread(echo, fd).detach();
    }
  }).detach();
  if (manner == "crashes_later") {
    std::thread([] {
      std::this_thread::sleep_for(300ms);
      std::_Exit(3);
    }).detach();
  }
  for (;;) {
    int number = 0;
    ::sigwait(&signals, &number);
    if (number == SIGUSR1 && manner == "slow_drain") std::this_thread::sleep_for(2s);
    if (number == SIGUSR1) become(Role::drained);
    if (number == SIGUSR2 && manner == "dies_when_promoted") return 5;
    if (number == SIGUSR2 && manner == "slow_promote") std::this_thread::sleep_for(2s);
    if (number == SIGUSR2) become(Role::active);
    if (number == SIGTERM || number == SIGINT) return 0;
  }
}
