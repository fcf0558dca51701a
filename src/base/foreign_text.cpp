#include "base/foreign_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/core.h>

namespace slipway {
namespace {

struct Character {
  std::size_t bytes = 1;
  bool fit = false;
};

struct Range {
  char32_t first;
  char32_t last;
};

constexpr std::array unfit{Range{0x00, 0x1f},     Range{0x7f, 0x9f},     Range{0x61c, 0x61c},
                           Range{0x200b, 0x200f}, Range{0x2028, 0x202e}, Range{0x2060, 0x206f},
                           Range{0xfeff, 0xfeff}};

bool is_fit(char32_t code) {
  return std::none_of(unfit.begin(), unfit.end(), [code](const Range& range) {
    return range.first <= code && code <= range.last;
  });
}

// The one at the front of a text that is not empty; a byte by itself where it is no UTF-8 (RFC
// 3629).
Character first_of(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (byte(0) < 0x80) return {1, is_fit(byte(0))};
  const std::size_t bytes = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < bytes) return {};
  char32_t code = byte(0) & (0xffu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < least[bytes] || code > 0x10ffff || surrogate) return {};
  return {bytes, is_fit(code)};
}

}  // namespace

std::string presentable(std::string_view text, std::size_t limit) {
  std::string shown;
  std::size_t at = 0;
  while (at < text.size()) {
    const Character next = first_of(text.substr(at));
    if (at + next.bytes > limit) return shown + "...";
    const std::string_view bytes = text.substr(at, next.bytes);
    at += next.bytes;
    if (next.fit) {
      shown += bytes;
    } else if (bytes == "\n") {
      shown += "\\n";
    } else {
      for (const char c : bytes) shown += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
    }
  }
  return shown;
}

}  // namespace slipway
