#pragma once

#include <optional>
#include <string_view>

namespace slipway::deploy {

// The two sides of the switch. One serves, the other is idle, warm or being proven.
enum class Colour { blue, green };

constexpr Colour other(Colour colour) {
  return colour == Colour::blue ? Colour::green : Colour::blue;
}

constexpr std::string_view to_string(Colour colour) {
  return colour == Colour::blue ? "blue" : "green";
}

constexpr std::optional<Colour> parse_colour(std::string_view text) {
  if (text == "blue") return Colour::blue;
  if (text == "green") return Colour::green;
  return std::nullopt;
}

}  // namespace slipway::deploy
