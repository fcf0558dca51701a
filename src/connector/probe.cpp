#include "connector/probe.hpp"

#include "connector/btp_auth.hpp"
#include "connector/forwarder.hpp"
#include "connector/http_types.hpp"
#include "connector/sha256.hpp"
#include "wire/btp_frame.hpp"
#include "wire/oer.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <fmt/core.h>

namespace slipway::connector {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
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

// Runs one coroutine to its end on a loop of its own.
template <typename T>
Result<T> run_alone(asio::io_context& io, asio::awaitable<Result<T>> coroutine) {
  Result<T> outcome = Error{ErrorKind::failed, "nothing happened", {}};
  asio::co_spawn(io, std::move(coroutine), [&](std::exception_ptr escaped, Result<T> result) {
    if (escaped) std::rethrow_exception(escaped);
    outcome = std::move(result);
  });
  io.run();
  return outcome;
}

asio::awaitable<Result<void>> get_live(asio::io_context& io, tcp::endpoint endpoint,
                                       std::chrono::milliseconds timeout) {
  beast::tcp_stream stream(io);
  stream.expires_after(timeout);
  const auto [unconnected] = co_await stream.async_connect(endpoint, await_tuple);
  if (unconnected) co_return failure("connecting", endpoint, unconnected.message());
  http::request<http::empty_body> request(http::verb::get, "/health/live", 11);
  request.set(http::field::host, "localhost");
  request.keep_alive(false);
  const auto [unsent, written] = co_await http::async_write(stream, request, await_tuple);
  if (unsent) co_return failure("GET /health/live", endpoint, unsent.message());
  beast::flat_buffer buffer(max_http_body);
  http::response<http::string_body> response;
  const auto [unread, size] = co_await http::async_read(stream, buffer, response, await_tuple);
  if (unread) co_return failure("GET /health/live", endpoint, unread.message());
  if (response.result_int() != 200) {
    co_return failure("GET /health/live", endpoint, fmt::format("HTTP {}", response.result_int()));
  }
  co_return Result<void>();
}

using Stream = websocket::stream<beast::tcp_stream, false>;

// Sends one BTP frame and returns the sub-protocols' carrier that answers it.
asio::awaitable<Result<std::vector<std::uint8_t>>> exchange(Stream& stream,
                                                            const tcp::endpoint& endpoint,
                                                            std::vector<std::uint8_t> frame,
                                                            std::uint32_t request_id) {
  const auto [unsent, written] = co_await stream.async_write(asio::buffer(frame), await_tuple);
  if (unsent) co_return failure("sending", endpoint, unsent.message());
  for (;;) {
    beast::flat_buffer buffer(max_http_body);
    const auto [unread, size] = co_await stream.async_read(buffer, await_tuple);
    if (unread) co_return failure("waiting for the answer", endpoint, unread.message());
    const auto* begin = static_cast<const std::uint8_t*>(buffer.data().data());
    std::vector<std::uint8_t> bytes(begin, begin + buffer.size());
    const auto decoded = wire::decode_btp_frame(bytes);
    if (!decoded) co_return decoded.error();
    if (decoded->request_id != request_id) continue;
    if (decoded->type == wire::BtpType::error) {
      co_return failure("the request was refused", endpoint, decoded->error_name);
    }
    co_return bytes;
  }
}

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
                                         const AccountConfig& account,
                                         std::chrono::milliseconds timeout) {
  Stream stream(io);
  stream.next_layer().expires_after(timeout);
  const auto [unconnected] = co_await stream.next_layer().async_connect(endpoint, await_tuple);
  if (unconnected) co_return failure("connecting", endpoint, unconnected.message());
  const auto [refused] = co_await stream.async_handshake("localhost", "/", await_tuple);
  if (refused) co_return failure("the WebSocket handshake", endpoint, refused.message());
  stream.binary(true);
  const auto authenticated =
      co_await exchange(stream, endpoint, auth_frame(1, {account.id, account.token}), 1);
  if (!authenticated) co_return authenticated.error();
  const auto answer = co_await exchange(stream, endpoint, ildcp_frame(), 2);
  if (!answer) co_return answer.error();
  co_await stream.async_close(websocket::close_code::normal, await_tuple);
  co_return address_in(*answer);
}

}  // namespace

Result<void> check_health(const Config& config, std::chrono::milliseconds timeout) {
  asio::io_context io{1};
  return run_alone<void>(io, get_live(io, loopback_of(config.http), timeout));
}

Result<std::string> probe(const Config& config, const std::string& account,
                          std::chrono::milliseconds timeout) {
  const auto found = std::find_if(config.accounts.begin(), config.accounts.end(),
                                  [&](const auto& one) { return one.id == account; });
  if (found == config.accounts.end() || found->token.empty()) {
    return Error{ErrorKind::usage, fmt::format("no account '{}' with a token", account),
                 "name one of the configuration's accounts with --account"};
  }
  asio::io_context io{1};
  return run_alone<std::string>(io, ask(io, loopback_of(config.btp), *found, timeout));
}

}  // namespace slipway::connector
