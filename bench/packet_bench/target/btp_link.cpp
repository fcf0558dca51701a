#include "packet_bench/target/btp_link.hpp"

#include "base/foreign_text.hpp"
#include "base/random.hpp"
#include "packet_bench/common/schedule.hpp"
#include "packet_bench/target/backoff.hpp"
#include "packet_bench/target/websocket_handshake.hpp"

#include <algorithm>
#include <cstring>
#include <random>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;
using wire::WebSocketOpcode;
using wire::WebSocketRole;

constexpr std::chrono::nanoseconds attempt_deadline = 2s;
constexpr std::uint32_t authentication_request = 1;
constexpr std::size_t max_message = std::size_t{1} << 20;
constexpr std::size_t longest_reason = 125;  // what a close frame can hold

std::string close_reason(wire::Bytes payload) {
  if (payload.size() < 2) return "closed by the other side";
  const std::string_view text(reinterpret_cast<const char*>(payload.data()) + 2,
                              payload.size() - 2);
  return fmt::format("closed by the other side with {}{}{}", payload[0] << 8 | payload[1],
                     text.empty() ? "" : " ", foreign_line(text, longest_reason));
}

}  // namespace

BtpLink::BtpLink(Poller& poller, const Target& target, const Address& address,
                 BtpLinkEvents& events)
    : target_(target),
      address_(address),
      events_(events),
      connection_(poller, *this),
      random_(random_seed()),
      decoder_(WebSocketRole::client, max_message) {}

std::uint32_t BtpLink::next_mask() {
  return static_cast<std::uint32_t>(mixed(random_++));
}

void BtpLink::tick(TimePoint now) {
  if (stage_ == Stage::ready) return;
  if (stage_ != Stage::down) {
    connection_.hurry(now);
    if (connection_.state() == Connection::State::closed) return lost(connection_.failure());
    if (now >= give_up_attempt_) lost("no answer within 2 s");
    return;
  }
  if (now < next_attempt_) return;
  stage_ = Stage::connecting;
  give_up_attempt_ = now + attempt_deadline;
  connection_.open(address_);
  if (connection_.state() == Connection::State::closed) lost(connection_.failure());
}

void BtpLink::on_events(std::uint32_t epoll_events) {
  connection_.handle(epoll_events);
  advance();
}

void BtpLink::advance() {
  if (stage_ == Stage::connecting && connection_.state() == Connection::State::open) {
    begin_upgrade();
  }
  if (stage_ == Stage::upgrading && !read_upgrade_answer()) return;
  if (stage_ == Stage::authenticating || stage_ == Stage::ready) read_frames();
  if (connection_.state() == Connection::State::closed && stage_ != Stage::down) {
    return lost(connection_.failure());
  }
  if (connection_.waiting_bytes() > 0) flush();
}

void BtpLink::begin_upgrade() {
  stage_ = Stage::upgrading;
  random_ += 2;
  key_ = websocket::make_key(mixed(random_ - 2), mixed(random_ - 1));
  const std::string request = websocket::upgrade_request(host_field(target_), target_.path, key_);
  connection_.out().insert(connection_.out().end(), request.begin(), request.end());
  connection_.flush();
}

// True once the upgrade is done and frames may follow.
bool BtpLink::read_upgrade_answer() {
  const auto input = connection_.input();
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (connection_.state() == Connection::State::closed) {
      lost(connection_.failure());
    } else if (text.size() >= 8 && !text.starts_with("HTTP/1.1")) {
      lost("it does not speak HTTP");
    } else if (text.size() > 16384) {
      lost("its answer to the WebSocket upgrade does not end");
    }
    return false;
  }
  const std::string refusal = websocket::upgrade_refusal(text.substr(0, end + 2), key_);
  if (!refusal.empty()) {
    lost(refusal);
    return false;
  }
  connection_.consume(end + 4);
  decoder_ = wire::WebSocketDecoder(WebSocketRole::client, max_message);
  send_authentication();
  stage_ = Stage::authenticating;
  return true;
}

void BtpLink::send_authentication() {
  const auto bytes = [](std::string_view text) {
    return wire::Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  };
  std::vector<wire::SubProtocol> parts{
      {"auth", wire::ContentType::octets, {}},
      {"auth_token", wire::ContentType::text, bytes(target_.token)}};
  if (!target_.username.empty()) {
    parts.push_back({"auth_username", wire::ContentType::text, bytes(target_.username)});
  }
  if (target_.understands_drain) parts.push_back(wire::drain_mark);
  scratch_.clear();
  wire::encode_btp(wire::BtpType::message, authentication_request, parts, scratch_);
  send_scratch();
}

void BtpLink::send_scratch() {
  wire::encode_frame(WebSocketRole::client, WebSocketOpcode::binary, scratch_, next_mask(),
                     connection_.out());
  connection_.flush();
}

void BtpLink::answer_drain(std::uint32_t request_id) {
  if (stage_ != Stage::ready) return;
  scratch_.clear();
  wire::encode_drain(wire::BtpType::response, request_id, scratch_);
  send_scratch();
}

void BtpLink::read_frames() {
  auto input = connection_.input();
  if (input.empty()) return;
  events_.on_input(*this);
  const std::size_t size = input.size();
  while (const auto message = decoder_.next(input)) {
    if (!take_message(*message)) return;
  }
  if (decoder_.failure()) {
    return lost(fmt::format("it broke the WebSocket protocol: {}", decoder_.failure()->reason));
  }
  connection_.consume(size - input.size());
}

bool BtpLink::take_message(const wire::WebSocketMessage& message) {
  switch (message.opcode) {
    case WebSocketOpcode::binary:
      take_btp(message.payload);
      break;
    case WebSocketOpcode::ping:
      wire::encode_frame(WebSocketRole::client, WebSocketOpcode::pong, message.payload, next_mask(),
                         connection_.out());
      break;
    case WebSocketOpcode::close: {
      std::string reason = close_reason(message.payload);
      wire::encode_frame(WebSocketRole::client, WebSocketOpcode::close, message.payload,
                         next_mask(), connection_.out());
      connection_.flush();
      lost(std::move(reason));
      break;
    }
    default:
      break;
  }
  return stage_ != Stage::down;
}

void BtpLink::take_btp(wire::Bytes message) {
  const auto frame = wire::decode_btp_frame(message);
  if (!frame) {
    if (stage_ == Stage::authenticating) lost("it sent something that is not BTP");
    return;
  }
  if (stage_ == Stage::authenticating) return take_authentication_answer(*frame);
  const bool answers =
      frame->type == wire::BtpType::response || frame->type == wire::BtpType::error;
  if (answers && unanswered_ > 0) --unanswered_;
  events_.on_frame(*this, *frame);
}

void BtpLink::take_authentication_answer(const wire::BtpFrame& frame) {
  if (frame.request_id != authentication_request) return;
  if (frame.type != wire::BtpType::response) {
    return lost(fmt::format("it refused the token ({} {})",
                            foreign_line(frame.error_code, longest_reason),
                            foreign_line(frame.error_name, longest_reason)));
  }
  stage_ = Stage::ready;
  backoff_ = 0ns;
  failure_.clear();
  unanswered_ = 0;
  events_.on_up(*this);
}

void BtpLink::lost(std::string why) {
  const bool was_ready = stage_ == Stage::ready;
  stage_ = Stage::down;
  connection_.close();
  failure_ = std::move(why);
  // A connection that was up is opened again at once: the next tick does it.
  next_attempt_ = was_ready ? TimePoint{} : Clock::now() + backoff_;
  backoff_ = backoff_after(backoff_);
  if (was_ready) events_.on_down(*this, failure_);
}

void BtpLink::send_ilp(wire::BtpType type, std::uint32_t request_id, wire::Bytes packet) {
  if (type == wire::BtpType::message) ++unanswered_;
  std::vector<std::uint8_t>& out = connection_.out();
  const std::uint32_t mask = next_mask();
  wire::encode_frame_header(WebSocketRole::client, WebSocketOpcode::binary,
                            wire::btp_ilp_size(packet.size()), mask, out);
  const std::size_t begin = out.size();
  wire::encode_btp_ilp(type, request_id, packet, out);
  wire::apply_mask(std::span(out).subspan(begin), mask);
}

void BtpLink::flush() {
  connection_.flush();
  if (connection_.state() == Connection::State::closed && stage_ != Stage::down) {
    lost(connection_.failure());
  }
}

void BtpLink::close() {
  if (stage_ == Stage::ready) {
    wire::encode_close(WebSocketRole::client, wire::CloseCode::normal, {}, next_mask(),
                       connection_.out());
    connection_.flush();
  }
  stage_ = Stage::down;
  connection_.close();
}

}  // namespace slipway::bench
