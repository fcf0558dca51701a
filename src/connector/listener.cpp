#include "connector/listener.hpp"

#include "base/process.hpp"
#include "connector/btp_connection.hpp"
#include "connector/ilp_http_server.hpp"
#include "connector/listen.hpp"
#include "net/http_stream.hpp"

#include <optional>
#include <utility>

namespace slipway::connector {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// What the process's descriptors allow of that, with a reserve for health requests, files and the
// peers that we dial.
std::uint32_t affordable(std::uint32_t connections) {
  constexpr std::uint64_t reserve = 128;
  const std::uint64_t descriptors = raise_descriptor_limit();
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(
      connections, descriptors > 2 * reserve ? descriptors - reserve : reserve));
}

}  // namespace

Listener::Listener(Hub& hub)
    : hub_(hub),
      acceptor_(hub.io),
      admission_(hub.config.limits.maximum_unauthenticated),
      maximum_connections_(affordable(hub.config.limits.maximum_connections)),
      port_(hub.config.btp.port) {}

Result<void> Listener::start() {
  if (listening()) return {};
  const auto port = listen_on(acceptor_, {hub_.config.btp.host, port_});
  if (!port) return port.error();
  port_ = *port;
  keep_alive_.begin_again();
  spawn(hub_.io.get_executor(), accept());
  return {};
}

void Listener::stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  keep_alive_.end();
}

asio::awaitable<void> Listener::accept() {
  co_await accept_each(acceptor_, [this](tcp::socket socket) {
    if (connections_ >= maximum_connections_) {
      hub_.count_refusal("too_many_connections");
      hub_.log.write_limited(LogLevel::warn, "connection_refused", "limit",
                             {{"reason", "too many connections"}});
      return;
    }
    if (admission_.make_room()) {
      hub_.count_refusal("too_many_unauthenticated");
      hub_.log.write_limited(LogLevel::warn, "connection_evicted", "limit",
                             {{"reason", "too many connections that have not authenticated"}});
    }
    spawn(hub_.io.get_executor(), serve(std::move(socket)));
  });
}

asio::awaitable<void> Listener::serve(tcp::socket socket) {
  struct Counted {
    explicit Counted(std::uint32_t& count) : count_(++count) {}
    ~Counted() { --count_; }
    std::uint32_t& count_;
  } const counted(connections_);
  const auto address = remote_address(socket);
  const std::string remote = address.to_string();
  const auto stream = std::make_shared<net::HttpStream>(std::move(socket));
  auto ticket = admission_.admit(address, [stream] { stream->close(); });
  const auto timeout = hub_.config.limits.handshake_timeout;
  stream->expires_after(timeout);
  // Opened ahead of its first request: that would come to us after the drain.
  std::optional<HttpKeepAlive::Idle> idle(std::in_place, keep_alive_, *stream);
  const auto failed = co_await stream->read_head();
  idle.reset();
  if (failed) {
    report_unreadable_request(hub_, remote, failed);
    co_return;
  }
  if (!stream->wants_websocket()) {
    co_await serve_ilp_over_http(hub_, *stream, remote, keep_alive_, [&ticket] { ticket.reset(); });
    co_return;
  }
  if (const auto refused = co_await stream->accept_websocket(timeout)) {
    report_unreadable_request(hub_, remote, refused);
    co_return;
  }
  const auto connection = BtpConnection::accepted(hub_, stream->release(), stream->unparsed(),
                                                  [&ticket] { ticket.reset(); });
  ticket->on_evict(
      [connection] { connection->drop("too many connections that have not authenticated"); });
  co_await connection->run();
}

}  // namespace slipway::connector
