#include "connector/ilp_http_client.hpp"

#include "connector/listen.hpp"

#include <charconv>

#include <boost/asio/ip/tcp.hpp>
#include <fmt/core.h>

namespace slipway::connector {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace {

constexpr std::uint32_t max_connections = 16;
constexpr std::size_t max_queue = 4096;
// Shorter than Node's five seconds: a connection that the peer is about to close is not used again.
constexpr auto keep_alive = std::chrono::seconds(2);
constexpr std::string_view request_id_prefix = "00000000-0000-4000-8000-0000";

using PacketResponse = http::response<PacketBody>;

PacketRequest make_post(const PeerUrl& peer, std::vector<std::uint8_t> packet) {
  PacketRequest request(http::verb::post, peer.path, 11);
  request.set(http::field::host, fmt::format("{}:{}", peer.host, peer.port));
  request.set(http::field::authorization, "Bearer " + peer.token);
  request.set(http::field::content_type, "application/octet-stream");
  request.set(http::field::accept, "application/octet-stream");
  request.body() = std::move(packet);
  request.prepare_payload();
  return request;
}

asio::awaitable<boost::system::error_code> connect(beast::tcp_stream& stream, const PeerUrl& peer) {
  tcp::resolver resolver(stream.get_executor());
  const auto [unresolved, endpoints] =
      co_await resolver.async_resolve(peer.host, std::to_string(peer.port), await_tuple);
  if (unresolved) co_return unresolved;
  const auto [unconnected, endpoint] = co_await stream.async_connect(endpoints, await_tuple);
  if (!unconnected) stream.socket().set_option(tcp::no_delay(true));
  co_return unconnected;
}

}  // namespace

std::string format_request_id(std::uint32_t id) {
  return fmt::format("{}{:08x}", request_id_prefix, id);
}

std::optional<std::uint32_t> parse_request_id(std::string_view text) {
  if (text.size() != 36 || !text.starts_with(request_id_prefix)) return std::nullopt;
  std::uint32_t id = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data() + request_id_prefix.size(), end, id, 16);
  if (failed != std::errc{} || stop != end) return std::nullopt;
  return id;
}

IlpHttpClient::IlpHttpClient(Hub& hub, AccountIndex account)
    : hub_(hub), account_(account), link_(hub.links.add(*this)), wake_(hub.io) {
  hub_.forwarder.attach(account, link_, Now::read());
}

IlpHttpClient::~IlpHttpClient() {
  hub_.links.remove(link_);
}

bool IlpHttpClient::congested() const {
  return queue_.size() >= max_queue;
}

void IlpHttpClient::send_reply(std::uint32_t, wire::Bytes) {}

void IlpHttpClient::send_prepare(std::uint32_t request_id, wire::Bytes packet, std::uint64_t amount,
                                 wire::Timestamp expires_at) {
  const Now now = Now::read();
  Job job{request_id, {packet.begin(), packet.end()}, now.steady + (expires_at - now.wall)};
  wire::rewrite_prepare(job.packet, amount, expires_at);
  queue_.push_back(std::move(job));
  if (idle_ > 0) {
    wake_.cancel_one();
  } else if (workers_ < max_connections) {
    ++workers_;
    spawn(hub_.io.get_executor(), work());
  }
}

// One connection: takes jobs until there has been none for a while.
asio::awaitable<void> IlpHttpClient::work() {
  beast::tcp_stream stream(hub_.io);
  for (bool more = true; more;) {
    while (!queue_.empty()) {
      const Job job = std::move(queue_.front());
      queue_.pop_front();
      if (job.deadline > std::chrono::steady_clock::now()) co_await post(stream, job);
    }
    ++idle_;
    wake_.expires_after(keep_alive);
    co_await wake_.async_wait(await_tuple);
    --idle_;
    more = !queue_.empty();
  }
  --workers_;
}

asio::awaitable<void> IlpHttpClient::post(beast::tcp_stream& stream, const Job& job) {
  const PeerUrl& peer = *hub_.config.accounts[account_].http;
  stream.expires_at(job.deadline);
  if (!stream.socket().is_open()) {
    if (const auto failed = co_await connect(stream, peer)) {
      stream.close();
      fail(job, failed.message());
      co_return;
    }
  }
  PacketRequest request = make_post(peer, job.packet);
  request.set("Request-Id", format_request_id(job.request_id));
  if (!peer.callback_url.empty()) request.set("Callback-Url", peer.callback_url);
  const auto [unsent, written] = co_await http::async_write(stream, request, await_tuple);
  beast::flat_buffer buffer(max_http_header + max_http_body);
  http::response_parser<PacketBody> parser;
  parser.header_limit(max_http_header);
  parser.body_limit(max_http_body);
  auto failed = unsent;
  if (!failed) {
    const auto [unread, size] = co_await http::async_read(stream, buffer, parser, await_tuple);
    failed = unread;
  }
  if (failed) {
    stream.close();
    fail(job, failed.message());
    co_return;
  }
  const PacketResponse response = parser.release();
  if (!response.keep_alive()) stream.close();
  if (response.result() == http::status::ok) {
    hub_.forwarder.handle_reply(link_, job.request_id, response.body(), Now::read());
  } else if (response.result() != http::status::accepted || peer.callback_url.empty()) {
    fail(job, fmt::format("HTTP {}", response.result_int()));
  }
  hub_.round_done();
}

void IlpHttpClient::fail(const Job& job, std::string_view reason) {
  const std::string& id = hub_.config.accounts[account_].id;
  hub_.log.write_limited(LogLevel::warn, "http_peer_failed", id,
                         {{"account", id}, {"reason", reason}});
  // At the deadline the Forwarder answers R00 by itself; before it the peer is unreachable.
  if (job.deadline > std::chrono::steady_clock::now()) {
    hub_.forwarder.handle_failure(link_, job.request_id, "T01", "the peer could not be reached",
                                  Now::read());
  }
  hub_.round_done();
}

asio::awaitable<void> post_answer(Hub& hub, AccountIndex account, PeerUrl url,
                                  std::string request_id, std::vector<std::uint8_t> packet) {
  beast::tcp_stream stream(hub.io);
  stream.expires_after(hub.config.limits.stall_timeout);
  PacketRequest request = make_post(url, std::move(packet));
  if (!request_id.empty()) request.set("Request-Id", request_id);
  request.keep_alive(false);
  auto failed = co_await connect(stream, url);
  if (!failed) {
    const auto [unsent, written] = co_await http::async_write(stream, request, await_tuple);
    failed = unsent;
  }
  if (!failed) {
    beast::flat_buffer buffer(max_http_header + max_http_body);
    PacketResponse response;
    const auto [unread, size] = co_await http::async_read(stream, buffer, response, await_tuple);
    failed = unread;
  }
  if (failed) {
    const std::string& id = hub.config.accounts[account].id;
    hub.log.write_limited(LogLevel::warn, "http_callback_failed", id,
                          {{"account", id}, {"reason", failed.message()}});
  }
}

}  // namespace slipway::connector
