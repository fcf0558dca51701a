#include "connector/health_server.hpp"

#include "connector/http_types.hpp"
#include "connector/listen.hpp"

#include <boost/beast/http/empty_body.hpp>

namespace slipway::connector {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
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
  beast::tcp_stream stream(std::move(socket));
  beast::flat_buffer buffer(max_http_header);
  for (bool keep = true; keep;) {
    stream.expires_after(deadline);
    http::request<http::empty_body> request;
    const auto [failed, size] = co_await http::async_read(stream, buffer, request, await_tuple);
    if (failed) break;
    http::response<http::string_body> response;
    response.version(request.version());
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
      response.result(http::status::method_not_allowed);
      response.set(http::field::allow, "GET, HEAD");
    } else {
      const auto target = request.target();
      const std::string_view path(target.data(), std::min(target.size(), target.find('?')));
      HttpAnswer answer = answer_(path);
      response.result(answer.status);
      response.set(http::field::content_type, answer.content_type);
      response.set(http::field::cache_control, "no-store");
      response.body() = std::move(answer.body);
    }
    keep = request.keep_alive();
    response.keep_alive(keep);
    response.prepare_payload();
    if (request.method() == http::verb::head) response.body().clear();
    const auto [unsent, written] = co_await http::async_write(stream, response, await_tuple);
    if (unsent) break;
  }
}

}  // namespace slipway::connector
