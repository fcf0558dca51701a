#include "connector/ilp_http_server.hpp"

#include "connector/ilp_http_client.hpp"
#include "connector/listen.hpp"
#include "connector/peer_url.hpp"
#include "net/await.hpp"

#include <boost/asio/steady_timer.hpp>
#include <fmt/core.h>

namespace slipway::connector {

namespace asio = boost::asio;

namespace {

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
    if (reply_.empty()) co_await answered_.async_wait(net::await_tuple);
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

net::HttpReply make_reply(const net::HttpQuery& query, unsigned status) {
  net::HttpReply reply;
  reply.status = status;
  reply.keep_alive = query.keep_alive;
  return reply;
}

std::optional<AccountIndex> authenticate(Hub& hub, const net::HttpQuery& query) {
  const std::string_view text = query.field("Authorization");
  constexpr std::string_view scheme = "Bearer ";
  if (!text.starts_with(scheme)) return std::nullopt;
  return hub.tokens.authenticate("", text.substr(scheme.size()));
}

bool is_packet_type(const net::HttpQuery& query) {
  const std::string_view value = query.field("Content-Type");
  return value == "application/octet-stream" || value == "application/ilp+octet-stream";
}

// The answer to what we POSTed with our own Callback-Url.
bool take_answer(Hub& hub, AccountIndex account, const net::HttpQuery& query) {
  constexpr std::uint8_t fulfill_type = 13;
  constexpr std::uint8_t reject_type = 14;
  const auto& body = query.body;
  if (body.empty() || (body[0] != fulfill_type && body[0] != reject_type)) return false;
  const auto id = parse_request_id(query.field("Request-Id"));
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

asio::awaitable<net::HttpReply> forward(Hub& hub, AccountIndex account,
                                        const net::HttpQuery& query) {
  HttpOrigin origin(hub);
  hub.forwarder.handle_prepare(account, origin.id(), 0, query.body, Now::read());
  hub.round_done();
  net::HttpReply reply = make_reply(query, 200);
  reply.fields = {{"Content-Type", "application/octet-stream"}};
  reply.body = co_await origin.answer();
  co_return reply;
}

asio::awaitable<net::HttpReply> respond(Hub& hub, std::string_view remote,
                                        const net::HttpQuery& query,
                                        const std::function<void()>& authenticated) {
  const auto account = authenticate(hub, query);
  if (!account) {
    hub.count_refusal("not_authenticated");
    hub.log.write_limited(LogLevel::warn, "http_auth_refused", remote,
                          {{"remote", remote}, {"reason", "unknown token"}});
    auto reply = make_reply(query, 401);
    reply.fields = {{"WWW-Authenticate", "Bearer"}};
    co_return reply;
  }
  if (authenticated) authenticated();
  if (query.method != "POST") {
    auto reply = make_reply(query, 405);
    reply.fields = {{"Allow", "POST"}};
    co_return reply;
  }
  if (!is_packet_type(query)) co_return make_reply(query, 415);
  if (take_answer(hub, *account, query)) co_return make_reply(query, 200);
  const std::string callback(query.field("Callback-Url"));
  if (callback.empty()) co_return co_await forward(hub, *account, query);
  const auto url = callback_of(hub, *account, callback);
  if (!url) {
    hub.count_refusal("callback_not_configured");
    co_return make_reply(query, 400);
  }
  spawn(hub.io.get_executor(),
        forward_and_call_back(hub, *account, *url, std::string(query.field("Request-Id")),
                              query.body));
  co_return make_reply(query, 202);
}

}  // namespace

void report_unreadable_request(Hub& hub, std::string_view remote, boost::system::error_code why) {
  hub.count_refusal("bad_handshake");
  if (net::is_end_of_connection(why)) return;
  const std::string reason = net::reason_of(why);
  hub.log.write_limited(LogLevel::warn, "request_failed", fmt::format("{} {}", remote, reason),
                        {{"remote", remote}, {"reason", reason}});
}

asio::awaitable<void> serve_ilp_over_http(Hub& hub, net::HttpStream& stream,
                                          std::string_view remote, HttpKeepAlive& keep_alive,
                                          std::function<void()> authenticated) {
  for (bool first = true;; first = false) {
    std::optional<HttpKeepAlive::Idle> idle;
    if (!first) idle.emplace(keep_alive, stream);
    const auto [failed, query] = co_await stream.read_query();
    idle.reset();
    if (failed) {
      // Between two requests a connection may end at any time.
      if (first || stream.query_had_begun()) report_unreadable_request(hub, remote, failed);
      co_return;
    }
    stream.expires_never();
    net::HttpReply reply = co_await respond(hub, remote, query, authenticated);
    if (keep_alive.ending()) reply.keep_alive = false;
    stream.expires_after(hub.config.limits.stall_timeout);
    const bool keep = reply.keep_alive && reply.status != 401;
    if (co_await stream.write(std::move(reply)) || !keep) co_return;
    stream.expires_after(idle_timeout);
  }
}

}  // namespace slipway::connector
