#include "connector/btp_connection.hpp"

#include "connector/listen.hpp"
#include "wire/btp_drain.hpp"
#include "wire/oer.hpp"

#include <cstring>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/core.h>

namespace slipway::connector {

namespace asio = boost::asio;
using asio::ip::tcp;
using wire::BtpType;
using wire::CloseCode;
using wire::WebSocketOpcode;
using wire::WebSocketRole;

namespace {

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t max_message = std::size_t{64} * 1024;
constexpr std::size_t first_buffer = std::size_t{8} * 1024;
constexpr std::size_t max_buffer =
    std::size_t{128} * 1024;  // holds the largest message and its header
// Output at which no more of this peer's requests are read, at which it gets no more Prepares, and
// at which it is given up.
constexpr std::size_t pause_at = std::size_t{256} * 1024;
constexpr std::size_t congested_at = std::size_t{1024} * 1024;
constexpr std::size_t give_up_at = std::size_t{8} * 1024 * 1024;
constexpr auto close_grace = std::chrono::seconds(1);

}  // namespace

BtpConnection::BtpConnection(Hub& hub, tcp::socket socket, WebSocketRole role)
    : hub_(hub),
      socket_(std::move(socket)),
      role_(role),
      decoder_(role, max_message),
      in_(first_buffer),
      resume_(hub.io),
      started_(std::chrono::steady_clock::now()) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  remote_ = remote_address(socket_).to_string();
}

std::shared_ptr<BtpConnection> BtpConnection::accepted(Hub& hub, tcp::socket socket,
                                                       wire::Bytes received,
                                                       std::function<void()> authenticated) {
  std::shared_ptr<BtpConnection> connection(
      new BtpConnection(hub, std::move(socket), WebSocketRole::server));
  connection->authenticated_ = std::move(authenticated);
  connection->in_.resize(std::max(first_buffer, received.size()));
  std::copy(received.begin(), received.end(), connection->in_.begin());
  connection->in_end_ = received.size();
  return connection;
}

std::shared_ptr<BtpConnection> BtpConnection::dialled(Hub& hub, tcp::socket socket,
                                                      AccountIndex account, const PeerUrl& peer,
                                                      std::function<void()> drains) {
  std::shared_ptr<BtpConnection> connection(
      new BtpConnection(hub, std::move(socket), WebSocketRole::client));
  connection->account_ = account;
  connection->peer_drains_ = std::move(drains);
  connection->send_own_authentication(peer);
  return connection;
}

asio::awaitable<void> BtpConnection::run() {
  const auto self = shared_from_this();
  hub_.add(self);
  if (in_end_ > 0) process();
  while (state_ != State::closed && co_await read_some()) process();
  drop("the peer closed the connection");
  hub_.remove(self);
}

asio::awaitable<bool> BtpConnection::read_some() {
  while (state_ != State::closed &&
         (!reading_ || (out_.unsent() > pause_at && state_ == State::open))) {
    // Now it is we who do not read on.
    partial_since_.reset();
    resume_.expires_at(TimePoint::max());
    co_await resume_.async_wait(as_tuple);
  }
  if (state_ == State::closed) co_return false;
  if (in_begin_ > 0) {
    std::memmove(in_.data(), in_.data() + in_begin_, in_end_ - in_begin_);
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  // A full buffer means that more is waiting: the next read takes more at once.
  if (in_end_ == in_.size() && in_.size() < max_buffer) in_.resize(in_.size() * 2);
  const auto [failed, size] = co_await socket_.async_read_some(
      asio::buffer(in_.data() + in_end_, in_.size() - in_end_), as_tuple);
  if (failed) co_return false;
  in_end_ += size;
  if (in_end_ == in_.size() && in_.size() < max_buffer) in_.resize(in_.size() * 2);
  co_return true;
}

void BtpConnection::process() {
  const Now now = Now::read();
  std::span<std::uint8_t> input(in_.data() + in_begin_, in_end_ - in_begin_);
  const std::size_t before = input.size();
  while (state_ != State::closed) {
    const auto message = decoder_.next(input);
    if (!message) break;
    hub_.count_message();
    handle_message(*message, now);
  }
  if (decoder_.failure() && state_ != State::closing && state_ != State::closed) {
    close(decoder_.failure()->code, decoder_.failure()->reason);
  }
  const std::size_t consumed = before - input.size();
  in_begin_ += consumed;
  if (input.empty() || decoder_.failure()) {
    in_begin_ = in_end_ = 0;
    partial_since_.reset();
  } else if (consumed > 0 || !partial_since_) {
    partial_since_ = now.steady;
  }
  hub_.round_done();
}

void BtpConnection::handle_message(const wire::WebSocketMessage& message, const Now& now) {
  switch (message.opcode) {
    case WebSocketOpcode::binary:
      if (state_ != State::closing) handle_frame(message.payload, now);
      break;
    case WebSocketOpcode::ping:
      if (state_ == State::closing) break;
      append(WebSocketOpcode::pong, message.payload.size(), [&] {
        wire::oer::put_bytes(wire::oer::extend(out_.bytes(), message.payload.size()),
                             message.payload);
      });
      break;
    case WebSocketOpcode::close:
      handle_close(message.payload);
      break;
    default:
      hub_.count_refusal("unexpected_frame");
  }
}

// Once both sides have sent Close the socket has served.
void BtpConnection::handle_close(wire::Bytes payload) {
  if (state_ != State::closing) {
    const std::uint16_t code = payload.size() < 2
                                   ? static_cast<std::uint16_t>(CloseCode::normal)
                                   : static_cast<std::uint16_t>(payload[0] << 8 | payload[1]);
    const bool may_be_sent = (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
                             (code >= 3000 && code <= 4999);
    wire::encode_close(role_,
                       may_be_sent ? static_cast<CloseCode>(code) : CloseCode::protocol_error, "",
                       hub_.next_mask(), out_.bytes());
    flush();
  }
  drop("the peer closed the connection");
}

// Frames that cannot be read, or that nothing was asked for, are never answered (RFC 0023).
void BtpConnection::handle_frame(wire::Bytes bytes, const Now& now) {
  const auto frame = wire::decode_btp_frame(bytes);
  if (!frame) {
    hub_.count_refusal("unreadable_frame");
    hub_.log.write_limited(LogLevel::warn, "btp_frame_unreadable",
                           account_ ? account_id() : remote_, {{"reason", frame.error().what}});
    if (state_ == State::authenticating) close(CloseCode::policy, "not authenticated");
    return;
  }
  if (state_ == State::authenticating) {
    if (role_ == WebSocketRole::server) {
      authenticate_peer(*frame, now);
    } else {
      finish_own_authentication(*frame, now);
    }
    return;
  }
  switch (frame->type) {
    case BtpType::message:
    case BtpType::transfer:
      handle_request(*frame, now);
      break;
    case BtpType::response: {
      if (notice_ && wire::is_about_drain(*frame)) {
        moved_ = true;
        break;
      }
      const wire::SubProtocol* ilp = frame->find("ilp");
      hub_.forwarder.handle_reply(link_, frame->request_id,
                                  ilp == nullptr ? wire::Bytes() : ilp->data, now);
      break;
    }
    case BtpType::error:
      hub_.forwarder.handle_failure(link_, frame->request_id, "T00",
                                    "the peer answered with a BTP error", now);
      break;
  }
}

void BtpConnection::handle_request(const wire::BtpFrame& frame, const Now& now) {
  const wire::SubProtocol* ilp = frame.find("ilp");
  if (frame.type == BtpType::message && ilp != nullptr) {
    hub_.forwarder.handle_prepare(*account_, link_, frame.request_id, ilp->data, now);
    return;
  }
  if (peer_drains_ && frame.type == BtpType::message && wire::is_about_drain(frame)) {
    notice_ = frame.request_id;
    std::exchange(peer_drains_, nullptr)();
    return;
  }
  // No settlement here, and no other sub-protocol.
  hub_.count_refusal("unsupported_request");
  std::vector<std::uint8_t> refusal;
  wire::encode_btp_error(frame.request_id, "F00", "NotAcceptedError", now.wall,
                         wire::oer::as_bytes("only the sub-protocol ilp is served"), refusal);
  send_btp(refusal);
}

std::string_view BtpConnection::account_id() const {
  return account_ ? std::string_view(hub_.config.accounts[*account_].id) : "";
}

// No longer a way to the account; what waited for it is answered.
void BtpConnection::leave(std::string_view reason) {
  if (!link_) return;
  const LinkId link = std::exchange(link_, {});
  hub_.links.remove(link);
  hub_.forwarder.detach(*account_, link, Now::read());
  hub_.log.write_limited(LogLevel::info, "btp_closed", fmt::format("{} {}", account_id(), reason),
                         {{"account", account_id()}, {"remote", remote_}, {"reason", reason}});
  hub_.round_done();
}

void BtpConnection::close(CloseCode code, std::string_view reason) {
  if (state_ == State::closing || state_ == State::closed) return;
  if (code != CloseCode::going_away)
    hub_.count_refusal(fmt::format("closed_{}", static_cast<int>(code)));
  if (!account_) {
    hub_.log.write_limited(LogLevel::warn, "btp_closed", fmt::format("{} {}", remote_, reason),
                           {{"remote", remote_}, {"reason", reason}});
  }
  leave(reason);
  wire::encode_close(role_, code, reason, hub_.next_mask(), out_.bytes());
  state_ = State::closing;
  // What a peer that is sent away still has to say is not worth reading, least of all when it
  // floods: it stays in the kernel while the peer has its time to see our Close.
  reading_ = code == CloseCode::going_away || code == CloseCode::normal;
  closing_since_ = std::chrono::steady_clock::now();
  resume_.cancel();
  flush();
}

void BtpConnection::drop(std::string_view reason) {
  if (state_ == State::closed) return;
  leave(reason);
  state_ = State::closed;
  resume_.cancel();
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  socket_.close(ignored);
}

void BtpConnection::check_deadlines(TimePoint now) {
  const Limits& limits = hub_.config.limits;
  if (state_ == State::closing && now - closing_since_ > close_grace) {
    drop("the peer did not answer Close");
  } else if (state_ == State::authenticating && now - started_ > limits.handshake_timeout) {
    close(CloseCode::policy, "not authenticated in time");
  } else if (state_ == State::open && partial_since_ &&
             now - *partial_since_ > limits.stall_timeout) {
    close(CloseCode::policy, "a frame was begun and not finished in time");
  } else if (state_ == State::open && replaced_since_ &&
             now - *replaced_since_ > limits.drain_timeout) {
    close(CloseCode::policy, replaced);
  } else if (out_.stuck_since() && now - *out_.stuck_since() > limits.stall_timeout) {
    hub_.count_refusal("slow_reader");
    drop("the peer reads too slowly");
  }
}

// A frame in place: header, the payload of `size` bytes that encode() appends to out_, mask.
template <typename Encode>
void BtpConnection::append(WebSocketOpcode opcode, std::size_t size, Encode encode) {
  const std::uint32_t mask = role_ == WebSocketRole::client ? hub_.next_mask() : 0;
  wire::encode_frame_header(role_, opcode, size, mask, out_.bytes());
  encode();
  if (mask != 0) wire::apply_mask(std::span(out_.bytes()).last(size), mask);
  mark_dirty();
}

void BtpConnection::send_btp(const std::vector<std::uint8_t>& frame) {
  append(WebSocketOpcode::binary, frame.size(),
         [&] { wire::oer::put_bytes(wire::oer::extend(out_.bytes(), frame.size()), frame); });
}

void BtpConnection::send_prepare(std::uint32_t request_id, wire::Bytes packet, std::uint64_t amount,
                                 wire::Timestamp expires_at) {
  append(WebSocketOpcode::binary, wire::btp_ilp_size(packet.size()), [&] {
    wire::encode_btp_ilp(BtpType::message, request_id, packet, out_.bytes());
    wire::rewrite_prepare(std::span(out_.bytes()).last(packet.size()), amount, expires_at);
  });
}

void BtpConnection::send_reply(std::uint32_t request_id, wire::Bytes packet) {
  append(WebSocketOpcode::binary, wire::btp_ilp_size(packet.size()),
         [&] { wire::encode_btp_ilp(BtpType::response, request_id, packet, out_.bytes()); });
}

bool BtpConnection::congested() const {
  return out_.unsent() > congested_at;
}

void BtpConnection::mark_dirty() {
  if (dirty_) return;
  dirty_ = true;
  hub_.flush_later(shared_from_this());
}

bool BtpConnection::has_unread() {
  boost::system::error_code failed;
  return state_ == State::open && (socket_.available(failed) > 0 || in_end_ > in_begin_);
}

void BtpConnection::flush() {
  dirty_ = false;
  if (state_ == State::closed) return;
  if (!waiting_to_write_) {
    switch (out_.write_to(socket_.native_handle())) {
      case Outbox::Outcome::all_written:
        resume_.cancel();
        return;
      case Outbox::Outcome::failed:
        drop("writing failed");
        return;
      case Outbox::Outcome::socket_full:
        break;
    }
  }
  // Also while nothing can be written: what others answer does not stop coming.
  if (out_.unsent() > give_up_at) {
    hub_.count_refusal("slow_reader");
    drop("the peer reads too slowly");
    return;
  }
  if (waiting_to_write_) return;
  waiting_to_write_ = true;
  socket_.async_wait(tcp::socket::wait_write,
                     [self = shared_from_this()](boost::system::error_code failed) {
                       self->waiting_to_write_ = false;
                       if (!failed) self->flush();
                     });
}

}  // namespace slipway::connector
