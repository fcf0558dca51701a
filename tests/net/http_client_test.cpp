#include "net/http_client.hpp"

#include "support/catch.hpp"
#include "support/loopback_port.hpp"
#include "support/temporary_directory.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

using namespace slipway;
using namespace std::chrono_literals;

namespace {

// Answers one request with `text`, in pieces if asked to, and closes; keeps what it was asked.
class Server {
 public:
  explicit Server(std::string text, std::size_t piece = 1 << 20)
      : thread_([this, text = std::move(text), piece] {
          const UniqueFd peer = port_.accept();
          if (!peer) return;
          char request[4096];
          const ssize_t size = ::read(peer.get(), request, sizeof request);
          asked_.assign(request, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
          for (std::size_t at = 0; at < text.size(); at += piece) {
            const std::string part = text.substr(at, piece);
            (void)::send(peer.get(), part.data(), part.size(), MSG_NOSIGNAL);
            if (piece < text.size()) std::this_thread::sleep_for(1ms);
          }
        }) {}
  ~Server() {
    port_.stop();
    if (thread_.joinable()) thread_.join();
  }
  net::HttpRequest request() const {
    return {.host = "127.0.0.1", .port = static_cast<std::uint16_t>(port_.number())};
  }
  std::string asked() {
    thread_.join();
    return asked_;
  }

 private:
  test::LoopbackPort port_;
  std::string asked_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a request has its method, host and body, and the answer its status and body", "[http]") {
  Server server("HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nmade", 3);
  auto request = server.request();
  request.method = "POST";
  request.target = "/a?b=1";
  request.body = "{}";
  const auto answer = net::http_request(request);
  REQUIRE(answer.has_value());
  CHECK(answer->status == 201);
  CHECK(answer->body == "made");
  const std::string asked = server.asked();
  CHECK(asked.starts_with("POST /a?b=1 HTTP/1.1\r\n"));
  CHECK(asked.find("Host: 127.0.0.1:" + std::to_string(request.port) + "\r\n") != asked.npos);
  CHECK(asked.find("Content-Length: 2\r\n") != asked.npos);
  CHECK(asked.ends_with("\r\n\r\n{}"));
}

TEST_CASE("a body may be chunked, or end with the connection", "[http]") {
  const std::string text =
      GENERATE("Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "\r\nok");
  Server server("HTTP/1.1 200 OK\r\n" + text);
  const auto answer = net::http_request(server.request());
  REQUIRE(answer.has_value());
  CHECK(answer->body == "ok");
}

TEST_CASE("an answer that is none says so by its kind", "[http]") {
  const auto [text, kind] = GENERATE(table<std::string, ErrorKind>(
      {{"", ErrorKind::unreachable},
       {"HTTP/1.1 200 OK\r\nContent-Len", ErrorKind::unreachable},
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour", ErrorKind::unreachable},
       {"220 mail\r\n\r\n", ErrorKind::protocol},
       {"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", ErrorKind::protocol}}));
  Server server(text);
  auto request = server.request();
  request.body_limit = 100;
  const auto answer = net::http_request(request);
  INFO(text);
  REQUIRE(answer.has_error());
  CHECK(answer.error().kind == kind);
}

TEST_CASE("one deadline is for all of a request, however the answer drips", "[http]") {
  Server server("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x'), 1);
  auto request = server.request();
  request.deadline = 100ms;
  const auto answer = net::http_request(request);
  REQUIRE(answer.has_error());
  CHECK(answer.error().kind == ErrorKind::timeout);
}

TEST_CASE("a stop request ends the wait for a silent server", "[http]") {
  const test::LoopbackPort silent;
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const auto answer = net::http_request(
      {.host = "127.0.0.1", .port = static_cast<std::uint16_t>(silent.number()), .deadline = 60s},
      stop.get_token());
  REQUIRE(answer.has_error());
  CHECK(answer.error().kind == ErrorKind::cancelled);
}

TEST_CASE("nobody there is unreachable, and the error names who was asked for what", "[http]") {
  const test::TemporaryDirectory folder;
  const std::string socket = (folder.path() / "engine.sock").string();
  const auto answer = net::http_request({.unix_socket = socket, .target = "/v1/x"});
  REQUIRE(answer.has_error());
  CHECK(answer.error().kind == ErrorKind::unreachable);
  CHECK(answer.error().what.find("GET " + socket + "/v1/x") != std::string::npos);
  CHECK(net::http_request({.unix_socket = std::string(200, 'x')}).has_error());
}
