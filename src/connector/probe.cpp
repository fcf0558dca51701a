#include "connector/probe.hpp"

#include "base/random.hpp"
#include "base/sha256.hpp"
#include "connector/btp_auth.hpp"
#include "connector/forwarder.hpp"
#include "net/await.hpp"
#include "net/http_client.hpp"
#include "net/http_stream.hpp"
#include "wire/btp_frame.hpp"
#include "wire/oer.hpp"
#include "wire/websocket_frame.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <fmt/core.h>

namespace slipway::connector {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// Where a connector that listens there is reached from its own host.
tcp::endpoint loopback_of(const Endpoint& endpoint) {
  const auto address = asio::ip::make_address(endpoint.host);
  if (!address.is_unspecified()) return {address, endpoint.port};
  if (address.is_v6()) return {asio::ip::address_v6::loopback(), endpoint.port};
  return {asio::ip::address_v4::loopback(), endpoint.port};
}

Error failure(std::string_view doing, const tcp::endpoint& endpoint, std::string_view why) {
  return {
      ErrorKind::unreachable,
      fmt::format("{} on {}:{}: {}", doing, endpoint.address().to_string(), endpoint.port(), why),
      {}};
}

// One BTP frame to it, and the frame that answers it.
class BtpExchange {
 public:
  BtpExchange(tcp::socket socket, tcp::endpoint endpoint)
      : socket_(std::move(socket)), endpoint_(std::move(endpoint)) {}

  asio::awaitable<Result<std::vector<std::uint8_t>>> ask(std::vector<std::uint8_t> frame,
                                                         std::uint32_t request_id) {
    std::vector<std::uint8_t> message;
    wire::encode_frame(wire::WebSocketRole::client, wire::WebSocketOpcode::binary, frame,
                       static_cast<std::uint32_t>(random_seed()), message);
    const auto [unsent, written] =
        co_await asio::async_write(socket_, asio::buffer(message), net::await_tuple);
    if (unsent) co_return failure("sending", endpoint_, unsent.message());
    for (;;) {
      auto answer = co_await next_frame();
      if (!answer) co_return answer.error();
      const auto decoded = wire::decode_btp_frame(*answer);
      if (!decoded) co_return decoded.error();
      if (decoded->request_id != request_id) continue;
      if (decoded->type == wire::BtpType::error) {
        co_return failure("the request was refused", endpoint_, decoded->error_name);
      }
      co_return answer;
    }
  }

 private:
  asio::awaitable<Result<std::vector<std::uint8_t>>> next_frame() {
    for (;;) {
      auto frame = take_frame();
      if (!frame || !frame->empty()) co_return frame;
      const std::size_t before = received_.size();
      received_.resize(before + 4096);
      const auto [unread, size] = co_await socket_.async_read_some(
          asio::buffer(received_.data() + before, 4096), net::await_tuple);
      received_.resize(before + size);
      if (unread) co_return failure("waiting for the answer", endpoint_, unread.message());
    }
  }

  // The next BTP frame of what was received; empty: more must come.
  Result<std::vector<std::uint8_t>> take_frame() {
    std::span<std::uint8_t> rest(received_);
    std::vector<std::uint8_t> frame;
    while (const auto message = decoder_.next(rest)) {
      if (message->opcode == wire::WebSocketOpcode::close) {
        return failure("waiting for the answer", endpoint_, "it closed the connection");
      }
      if (message->opcode != wire::WebSocketOpcode::binary) continue;
      frame.assign(message->payload.begin(), message->payload.end());
      break;
    }
    if (decoder_.failure()) {
      return failure("waiting for the answer", endpoint_, decoder_.failure()->reason);
    }
    received_.erase(received_.begin(), received_.end() - static_cast<std::ptrdiff_t>(rest.size()));
    return frame;
  }

  tcp::socket socket_;
  tcp::endpoint endpoint_;
  std::vector<std::uint8_t> received_;
  wire::WebSocketDecoder decoder_{wire::WebSocketRole::client, net::HttpLimits().body};
};

std::vector<std::uint8_t> ildcp_frame() {
  constexpr std::array<std::uint8_t, 32> zeros{};
  const Digest condition = Sha256().digest(zeros);
  std::vector<std::uint8_t> packet;
  wire::encode(
      wire::Prepare{0, Now::read().wall + std::chrono::minutes(1), condition, "peer.config", {}},
      packet);
  std::vector<std::uint8_t> frame;
  wire::encode_btp_ilp(wire::BtpType::message, 2, packet, frame);
  return frame;
}

Result<std::string> address_in(const std::vector<std::uint8_t>& bytes) {
  const auto frame = wire::decode_btp_frame(bytes);
  const wire::SubProtocol* ilp = frame ? frame->find("ilp") : nullptr;
  if (ilp == nullptr) return Error{ErrorKind::protocol, "the answer has no ILP packet", {}};
  const auto packet = wire::decode_packet(ilp->data);
  if (!packet) return packet.error();
  if (const auto* reject = std::get_if<wire::Reject>(&*packet)) {
    return Error{ErrorKind::failed,
                 fmt::format("the packet was rejected: {} {}", reject->code, reject->message),
                 {}};
  }
  const auto* fulfill = std::get_if<wire::Fulfill>(&*packet);
  if (fulfill == nullptr) return Error{ErrorKind::protocol, "the answer is a Prepare", {}};
  wire::oer::Reader data(fulfill->data);
  std::string address(data.read_text("client address", wire::max_address));
  if (data.failed()) return Error{ErrorKind::protocol, data.failure(), {}};
  return address;
}

asio::awaitable<Result<std::string>> ask(asio::io_context& io, tcp::endpoint endpoint,
                                         const AccountConfig& account) {
  net::HttpStream stream(io.get_executor());
  if (const auto failed =
          co_await stream.connect(endpoint.address().to_string(), endpoint.port())) {
    co_return failure("connecting", endpoint, failed.message());
  }
  if (const auto refused = co_await stream.shake_websocket_hands("localhost", "/")) {
    co_return failure("the WebSocket handshake", endpoint, refused.message());
  }
  BtpExchange exchange(stream.release(), endpoint);
  const auto authenticated = co_await exchange.ask(auth_frame(1, {account.id, account.token}), 1);
  if (!authenticated) co_return authenticated.error();
  const auto answer = co_await exchange.ask(ildcp_frame(), 2);
  if (!answer) co_return answer.error();
  co_return address_in(*answer);
}

// Asks on a loop of its own, for at most that long.
Result<std::string> run_alone(const tcp::endpoint& endpoint, const AccountConfig& account,
                              std::chrono::milliseconds timeout) {
  asio::io_context io{1};
  std::optional<Result<std::string>> outcome;
  asio::co_spawn(io, ask(io, endpoint, account),
                 [&](std::exception_ptr escaped, Result<std::string> result) {
                   if (escaped) std::rethrow_exception(escaped);
                   outcome = std::move(result);
                 });
  io.run_for(timeout);
  if (!outcome) return failure("waiting for the answer", endpoint, "not in time");
  return *outcome;
}

}  // namespace

Result<void> check_health(const Config& config, std::chrono::milliseconds timeout) {
  const tcp::endpoint endpoint = loopback_of(config.http);
  const auto answer = net::http_request({.host = endpoint.address().to_string(),
                                         .port = endpoint.port(),
                                         .target = "/health/live",
                                         .deadline = timeout});
  if (!answer) return answer.error();
  if (answer->status == 200) return {};
  return failure("GET /health/live", endpoint, fmt::format("HTTP {}", answer->status));
}

Result<std::string> probe(const Config& config, const std::string& account,
                          std::chrono::milliseconds timeout) {
  const auto found = std::find_if(config.accounts.begin(), config.accounts.end(),
                                  [&](const auto& one) { return one.id == account; });
  if (found == config.accounts.end() || found->token.empty()) {
    return Error{ErrorKind::usage, fmt::format("no account '{}' with a token", account),
                 "name one of the configuration's accounts with --account"};
  }
  return run_alone(loopback_of(config.btp), *found, timeout);
}

}  // namespace slipway::connector
