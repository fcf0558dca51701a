#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace slipway {

// RFC 4648 section 4, with padding.
std::string base64(std::span<const std::uint8_t> bytes);

// The bytes of such a text, which may be on several lines; nothing where it is none.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace slipway
