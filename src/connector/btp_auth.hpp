#pragma once

#include "wire/btp_frame.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

// The first message of a BTP client (RFC 0023): who it is, and the token that proves it.
namespace slipway::connector {

struct Credentials {
  std::string_view user;  // may be empty: the token alone says it
  std::string_view token;
  bool understands_drain = false;  // see wire/btp_drain.hpp
};

// Nothing when the frame is not such a message. Views into the frame.
std::optional<Credentials> read_auth(const wire::BtpFrame& frame);

std::vector<std::uint8_t> auth_frame(std::uint32_t request_id, const Credentials& credentials);

}  // namespace slipway::connector
