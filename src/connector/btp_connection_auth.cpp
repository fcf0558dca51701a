// Whose a connection is, and whether it moves elsewhere.
#include "connector/btp_auth.hpp"
#include "connector/btp_connection.hpp"
#include "wire/btp_drain.hpp"
#include "wire/oer.hpp"

namespace slipway::connector {

using wire::BtpType;
using wire::CloseCode;
using wire::WebSocketRole;

void BtpConnection::authenticate_peer(const wire::BtpFrame& frame, const Now& now) {
  const auto credentials = read_auth(frame);
  const auto account =
      credentials ? hub_.tokens.authenticate(credentials->user, credentials->token) : std::nullopt;
  std::vector<std::uint8_t> reply;
  if (!account) {
    hub_.count_refusal("not_authenticated");
    hub_.log.write_limited(LogLevel::warn, "btp_auth_refused", remote_,
                           {{"remote", remote_},
                            {"reason", credentials ? "unknown token" : "first frame is not auth"}});
    if (credentials) {
      wire::encode_btp_error(frame.request_id, "F00", "NotAcceptedError", now.wall,
                             wire::oer::as_bytes("invalid auth_token"), reply);
      send_btp(reply);
    }
    close(CloseCode::policy, "not authenticated");
    return;
  }
  understands_drain_ = credentials->understands_drain;
  wire::encode_btp(BtpType::response, frame.request_id, {}, reply);
  send_btp(reply);
  become_open(*account, now);
  if (authenticated_) std::exchange(authenticated_, nullptr)();
}

void BtpConnection::send_own_authentication(const PeerUrl& peer) {
  auth_request_ = hub_.next_mask();
  send_btp(auth_frame(auth_request_, {peer.user, peer.token, peer_drains_ != nullptr}));
}

void BtpConnection::finish_own_authentication(const wire::BtpFrame& frame, const Now& now) {
  if (frame.request_id != auth_request_) return;
  if (frame.type == BtpType::response) {
    become_open(*account_, now);
  } else if (frame.type == BtpType::error) {
    hub_.log.write_limited(LogLevel::error, "btp_peer_refused_us", account_id(),
                           {{"account", account_id()}, {"reason", frame.error_name}});
    close(CloseCode::normal, "refused");
  }
}

// One socket an account: the newer evicts the older, which may be dead without knowing it. But one
// that drains still answers, and is still answered. So, for as long as a drain may take, is one
// whose peer understands drains: it may be another process of the peer's, which is being replaced
// by the one that has just come, and closes it itself.
void BtpConnection::become_open(AccountIndex account, const Now& now) {
  account_ = account;
  auto before = Forwarder::Before::is_lost;
  std::vector<std::shared_ptr<BtpConnection>> others;
  for (const auto& other : hub_.connections()) {
    if (other.get() != this && other->is_open() && other->account_ == account) {
      others.push_back(other);
    }
  }
  for (const auto& other : others) {
    if (other->notice_) {
      before = Forwarder::Before::still_answers;
      if (role_ == WebSocketRole::client) other->answer_drain_notice();
    } else if (other->understands_drain_ && !other->replaced_since_) {
      before = Forwarder::Before::still_answers;
      other->replaced_since_ = now.steady;
    } else {
      other->close(CloseCode::policy, replaced);
    }
  }
  state_ = State::open;
  link_ = hub_.links.add(*this);
  hub_.forwarder.attach(account, link_, now, before);
  hub_.log.write_limited(LogLevel::info, "btp_connected", account_id(),
                         {{"account", account_id()}, {"remote", remote_}});
}

void BtpConnection::send_drain_notice() {
  if (state_ != State::open || notice_) return;
  notice_ = hub_.next_mask();
  std::vector<std::uint8_t> notice;
  wire::encode_drain(BtpType::message, *notice_, notice);
  send_btp(notice);
}

void BtpConnection::answer_drain_notice() {
  if (std::exchange(moved_, true)) return;
  std::vector<std::uint8_t> answer;
  wire::encode_drain(BtpType::response, *notice_, answer);
  send_btp(answer);
}

}  // namespace slipway::connector
