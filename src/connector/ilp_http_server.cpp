#include "connector/ilp_http_server.hpp"

#include "connector/ilp_http_client.hpp"
#include "connector/listen.hpp"
#include "connector/peer_url.hpp"

#include <boost/asio/steady_timer.hpp>
#include <fmt/core.h>

namespace slipway::connector {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

using PacketResponse = http::response<PacketBody>;

// How long a kept-alive connection may be silent between requests.
constexpr auto idle_timeout = std::chrono::seconds(60);

// Where the answer to one POSTed Prepare goes.
class HttpOrigin : public Link {
 public:
  explicit HttpOrigin(Hub& hub) : hub_(hub), answered_(hub.io), id_(hub.links.add(*this)) {
    answered_.expires_at(std::chrono::steady_clock::time_point::max());
  }
  ~HttpOrigin() override { hub_.links.remove(id_); }

  LinkId id() const { return id_; }
  asio::awaitable<std::vector<std::uint8_t>> answer() {
    if (reply_.empty()) co_await answered_.async_wait(await_tuple);
    co_return std::move(reply_);
  }

  void send_prepare(std::uint32_t, wire::Bytes, std::uint64_t, wire::Timestamp) override {}
  void send_reply(std::uint32_t, wire::Bytes packet) override {
    reply_.assign(packet.begin(), packet.end());
    answered_.cancel();
  }
  bool congested() const override { return false; }

 private:
  Hub& hub_;
  asio::steady_timer answered_;
  LinkId id_;
  std::vector<std::uint8_t> reply_;
};

PacketResponse make_response(const PacketRequest& request, http::status status) {
  PacketResponse response(status, request.version());
  response.keep_alive(request.keep_alive());
  return response;
}

std::optional<AccountIndex> authenticate(Hub& hub, const PacketRequest& request) {
  const auto value = request[http::field::authorization];
  const std::string_view text(value.data(), value.size());
  constexpr std::string_view scheme = "Bearer ";
  if (!text.starts_with(scheme)) return std::nullopt;
  return hub.tokens.authenticate("", text.substr(scheme.size()));
}

bool is_packet_type(const PacketRequest& request) {
  const auto value = request[http::field::content_type];
  return value == "application/octet-stream" || value == "application/ilp+octet-stream";
}

std::string header(const PacketRequest& request, std::string_view name) {
  const auto value = request[beast::string_view(name.data(), name.size())];
  return {value.data(), value.size()};
}

// The answer to what we POSTed with our own Callback-Url.
bool take_answer(Hub& hub, AccountIndex account, const PacketRequest& request) {
  constexpr std::uint8_t fulfill_type = 13;
  constexpr std::uint8_t reject_type = 14;
  const auto& body = request.body();
  if (body.empty() || (body[0] != fulfill_type && body[0] != reject_type)) return false;
  const auto id = parse_request_id(header(request, "Request-Id"));
  if (!id) return false;
  hub.forwarder.handle_reply(hub.forwarder.accounts()[account].link, *id, body, Now::read());
  hub.round_done();
  return true;
}

// Where a peer wants its answer POSTed. Only to the host and port that are configured for it: a
// connector that POSTs wherever it is told is a way into the network behind it.
std::optional<PeerUrl> callback_of(Hub& hub, AccountIndex account, const std::string& text) {
  const auto& configured = hub.config.accounts[account].http;
  auto url = parse_peer_url(text, "http");
  if (!configured || !url || url->host != configured->host || url->port != configured->port) {
    return std::nullopt;
  }
  url->token = configured->token;
  return *url;
}

asio::awaitable<void> forward_and_call_back(Hub& hub, AccountIndex account, PeerUrl url,
                                            std::string request_id,
                                            std::vector<std::uint8_t> packet) {
  HttpOrigin origin(hub);
  hub.forwarder.handle_prepare(account, origin.id(), 0, packet, Now::read());
  hub.round_done();
  co_await post_answer(hub, account, std::move(url), std::move(request_id),
                       co_await origin.answer());
}

asio::awaitable<PacketResponse> forward(Hub& hub, AccountIndex account,
                                        const PacketRequest& request) {
  HttpOrigin origin(hub);
  hub.forwarder.handle_prepare(account, origin.id(), 0, request.body(), Now::read());
  hub.round_done();
  PacketResponse response = make_response(request, http::status::ok);
  response.set(http::field::content_type, "application/octet-stream");
  response.body() = co_await origin.answer();
  co_return response;
}

asio::awaitable<PacketResponse> respond(Hub& hub, std::string_view remote,
                                        const PacketRequest& request,
                                        const std::function<void()>& authenticated) {
  const auto account = authenticate(hub, request);
  if (!account) {
    hub.count_refusal("not_authenticated");
    hub.log.write_limited(LogLevel::warn, "http_auth_refused", remote,
                          {{"remote", remote}, {"reason", "unknown token"}});
    auto response = make_response(request, http::status::unauthorized);
    response.set(http::field::www_authenticate, "Bearer");
    co_return response;
  }
  if (authenticated) authenticated();
  if (request.method() != http::verb::post) {
    auto response = make_response(request, http::status::method_not_allowed);
    response.set(http::field::allow, "POST");
    co_return response;
  }
  if (!is_packet_type(request)) {
    co_return make_response(request, http::status::unsupported_media_type);
  }
  if (take_answer(hub, *account, request)) co_return make_response(request, http::status::ok);
  const std::string callback = header(request, "Callback-Url");
  if (callback.empty()) co_return co_await forward(hub, *account, request);
  const auto url = callback_of(hub, *account, callback);
  if (!url) {
    hub.count_refusal("callback_not_configured");
    co_return make_response(request, http::status::bad_request);
  }
  spawn(hub.io.get_executor(),
        forward_and_call_back(hub, *account, *url, header(request, "Request-Id"), request.body()));
  co_return make_response(request, http::status::accepted);
}

}  // namespace

void report_unreadable_request(Hub& hub, std::string_view remote, boost::system::error_code why) {
  hub.count_refusal("bad_handshake");
  if (why == http::error::end_of_stream || why == asio::error::operation_aborted) return;
  const std::string reason = why == beast::error::timeout          ? "not in time"
                             : why == http::error::body_limit      ? "body over the size limit"
                             : why == http::error::header_limit    ? "header over the size limit"
                             : why == http::error::buffer_overflow ? "header over the size limit"
                                                                   : why.message();
  hub.log.write_limited(LogLevel::warn, "request_failed", fmt::format("{} {}", remote, reason),
                        {{"remote", remote}, {"reason", reason}});
}

asio::awaitable<void> serve_ilp_over_http(Hub& hub, beast::tcp_stream& stream,
                                          std::string_view remote, beast::flat_buffer& buffer,
                                          PacketRequestParser& first, HttpKeepAlive& keep_alive,
                                          std::function<void()> authenticated) {
  std::optional<PacketRequestParser> next;
  for (PacketRequestParser* parser = &first;; parser = &*next) {
    std::optional<HttpKeepAlive::Idle> idle;
    if (parser != &first) idle.emplace(keep_alive, stream);
    const auto [failed, size] = co_await http::async_read(stream, buffer, *parser, await_tuple);
    idle.reset();
    if (failed) {
      // Between two requests a connection may end at any time.
      if (parser == &first || parser->is_header_done()) {
        report_unreadable_request(hub, remote, failed);
      }
      co_return;
    }
    const PacketRequest request = parser->release();
    stream.expires_never();
    PacketResponse response = co_await respond(hub, remote, request, authenticated);
    if (keep_alive.ending()) response.keep_alive(false);
    response.prepare_payload();
    stream.expires_after(hub.config.limits.stall_timeout);
    const bool keep = response.keep_alive() && response.result() != http::status::unauthorized;
    const auto [unsent, written] = co_await http::async_write(stream, response, await_tuple);
    if (unsent || !keep) co_return;
    next.emplace();
    next->header_limit(max_http_header);
    next->body_limit(max_http_body);
    stream.expires_after(idle_timeout);
  }
}

}  // namespace slipway::connector
