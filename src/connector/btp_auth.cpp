#include "connector/btp_auth.hpp"

#include "wire/btp_drain.hpp"
#include "wire/oer.hpp"

namespace slipway::connector {

std::optional<Credentials> read_auth(const wire::BtpFrame& frame) {
  const auto subs = frame.sub_protocols();
  if (frame.type != wire::BtpType::message || subs.empty() || subs.front().name != "auth") {
    return std::nullopt;
  }
  const auto text = [&](std::string_view name) -> std::string_view {
    const wire::SubProtocol* found = frame.find(name);
    if (found == nullptr) return {};
    return {reinterpret_cast<const char*>(found->data.data()), found->data.size()};
  };
  return Credentials{text("auth_username"), text("auth_token"), wire::is_about_drain(frame)};
}

std::vector<std::uint8_t> auth_frame(std::uint32_t request_id, const Credentials& credentials) {
  using wire::ContentType;
  std::vector<wire::SubProtocol> auth{
      {"auth", ContentType::octets, {}},
      {"auth_username", ContentType::text, wire::oer::as_bytes(credentials.user)},
      {"auth_token", ContentType::text, wire::oer::as_bytes(credentials.token)}};
  if (credentials.understands_drain) auth.push_back(wire::drain_mark);
  std::vector<std::uint8_t> frame;
  wire::encode_btp(wire::BtpType::message, request_id, auth, frame);
  return frame;
}

}  // namespace slipway::connector
