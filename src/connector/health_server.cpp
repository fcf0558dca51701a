#include "connector/health_server.hpp"

#include "connector/listen.hpp"
#include "net/http_stream.hpp"

namespace slipway::connector {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::uint32_t max_connections = 64;
constexpr auto deadline = std::chrono::seconds(5);

}  // namespace

HealthServer::HealthServer(asio::io_context& io, Answer answer)
    : io_(io), acceptor_(io), answer_(std::move(answer)) {}

Result<void> HealthServer::start(const Endpoint& endpoint) {
  const auto port = listen_on(acceptor_, endpoint);
  if (!port) return port.error();
  port_ = *port;
  spawn(io_.get_executor(), accept_each(acceptor_, [this](tcp::socket socket) {
          if (connections_ < max_connections) spawn(io_.get_executor(), serve(std::move(socket)));
        }));
  return {};
}

void HealthServer::stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

asio::awaitable<void> HealthServer::serve(tcp::socket socket) {
  struct Counted {
    explicit Counted(std::uint32_t& count) : count_(++count) {}
    ~Counted() { --count_; }
    std::uint32_t& count_;
  } const counted(connections_);
  net::HttpStream stream(std::move(socket), {.body = 0});
  for (bool keep = true; keep;) {
    stream.expires_after(deadline);
    const auto [failed, query] = co_await stream.read_query();
    if (failed) break;
    net::HttpReply reply;
    if (query.method != "GET" && query.method != "HEAD") {
      reply.status = 405;
      reply.fields = {{"Allow", "GET, HEAD"}};
    } else {
      const std::string_view target = query.target;
      const HttpAnswer answer = answer_(target.substr(0, target.find('?')));
      reply.status = answer.status;
      reply.fields = {{"Content-Type", answer.content_type}, {"Cache-Control", "no-store"}};
      reply.body.assign(answer.body.begin(), answer.body.end());
    }
    keep = reply.keep_alive = query.keep_alive;
    if (co_await stream.write(std::move(reply), query.method == "HEAD")) break;
  }
}

}  // namespace slipway::connector
