#include "connector/ilp_http_client.hpp"

#include "connector/listen.hpp"
#include "net/await.hpp"
#include "net/url.hpp"

#include <charconv>

#include <fmt/core.h>

namespace slipway::connector {

namespace asio = boost::asio;

namespace {

constexpr std::uint32_t max_peer_connections = 16;
// What waits for a connection when it gets no more Prepares: packets, and their bytes.
constexpr std::size_t max_queue = 4096;
constexpr std::size_t max_queued = std::size_t{8} * 1024 * 1024;
// Shorter than Node's five seconds: a connection that the peer is about to close is not used again.
constexpr auto keep_alive = std::chrono::seconds(2);
constexpr std::string_view request_id_prefix = "00000000-0000-4000-8000-0000";

net::HttpQuery make_post(const PeerUrl& peer, std::string_view request_id,
                         std::vector<std::uint8_t> packet) {
  net::HttpQuery query;
  query.method = "POST";
  query.target = peer.path;
  query.fields = {{"Host", net::authority(peer.host, peer.port)},
                  {"Authorization", "Bearer " + peer.token},
                  {"Content-Type", "application/octet-stream"},
                  {"Accept", "application/octet-stream"}};
  if (!request_id.empty()) query.fields.push_back({"Request-Id", std::string(request_id)});
  query.body = std::move(packet);
  return query;
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
    : hub_(hub), account_(account), link_(hub.links.add(*this)) {
  hub_.forwarder.attach(account, link_, Now::read());
}

IlpHttpClient::~IlpHttpClient() {
  hub_.links.remove(link_);
}

bool IlpHttpClient::congested() const {
  return queue_.size() >= max_queue || queued_ >= max_queued;
}

void IlpHttpClient::send_reply(std::uint32_t, wire::Bytes) {}

void IlpHttpClient::send_prepare(std::uint32_t request_id, wire::Bytes packet, std::uint64_t amount,
                                 wire::Timestamp expires_at) {
  const Now now = Now::read();
  Job job{request_id, {packet.begin(), packet.end()}, now.steady + (expires_at - now.wall)};
  wire::rewrite_prepare(job.packet, amount, expires_at);
  queued_ += job.packet.size();
  queue_.push_back(std::move(job));
  if (!idle_.empty()) {
    idle_.back()->cancel();
    idle_.pop_back();
  } else if (workers_ < max_peer_connections) {
    ++workers_;
    spawn(hub_.io.get_executor(), work());
  }
}

// One connection: takes jobs until there has been none for a while.
asio::awaitable<void> IlpHttpClient::work() {
  net::HttpStream stream(hub_.io.get_executor());
  asio::steady_timer wake(hub_.io);
  do {
    while (!queue_.empty()) {
      const Job job = std::move(queue_.front());
      queue_.pop_front();
      queued_ -= job.packet.size();
      if (job.deadline > std::chrono::steady_clock::now()) co_await post(stream, job);
    }
    wake.expires_after(keep_alive);
    idle_.push_back(&wake);
    co_await wake.async_wait(net::await_tuple);
    // Who is no longer among the idle was called for a job, even if another was quicker to take it.
  } while (std::erase(idle_, &wake) == 0);
  --workers_;
}

asio::awaitable<void> IlpHttpClient::post(net::HttpStream& stream, const Job& job) {
  const PeerUrl& peer = *hub_.config.accounts[account_].http;
  stream.expires_at(job.deadline);
  const auto failed_to = [&](boost::system::error_code why) {
    stream.close();
    fail(job, why.message());
  };
  if (!stream.is_open()) {
    if (const auto failed = co_await stream.connect(peer.host, peer.port)) {
      co_return failed_to(failed);
    }
  }
  net::HttpQuery query = make_post(peer, format_request_id(job.request_id), job.packet);
  if (!peer.callback_url.empty()) query.fields.push_back({"Callback-Url", peer.callback_url});
  if (const auto unsent = co_await stream.write(std::move(query))) co_return failed_to(unsent);
  const auto [unread, reply] = co_await stream.read_reply();
  if (unread) co_return failed_to(unread);
  if (!reply.keep_alive) stream.close();
  if (reply.status == 200) {
    hub_.forwarder.handle_reply(link_, job.request_id, reply.body, Now::read());
  } else if (reply.status != 202 || peer.callback_url.empty()) {
    fail(job, fmt::format("HTTP {}", reply.status));
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
  net::HttpStream stream(hub.io.get_executor());
  stream.expires_after(hub.config.limits.stall_timeout);
  net::HttpQuery query = make_post(url, request_id, std::move(packet));
  query.keep_alive = false;
  auto failed = co_await stream.connect(url.host, url.port);
  if (!failed) failed = co_await stream.write(std::move(query));
  if (!failed) failed = (co_await stream.read_reply()).first;
  if (failed) {
    const std::string& id = hub.config.accounts[account].id;
    hub.log.write_limited(LogLevel::warn, "http_callback_failed", id,
                          {{"account", id}, {"reason", failed.message()}});
  }
}

}  // namespace slipway::connector
