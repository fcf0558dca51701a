#include "deploy/docker/api_version.hpp"

#include "base/foreign_text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

using Version = std::pair<int, int>;

constexpr Version oldest_known{1, 41};
// 29.0 speaks 1.52. A newer engine may drop what is older, but has always kept some years of it.
constexpr Version newest_known{1, 52};

std::optional<Version> parse(std::string_view text) {
  Version version;
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view digits, int& into) {
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    return failed == std::errc{} && end == digits.data() + digits.size();
  };
  if (!number(text.substr(0, dot), version.first) ||
      !number(text.substr(dot + 1), version.second)) {
    return std::nullopt;
  }
  return version;
}

std::string text_of(const Version& version) {
  return fmt::format("{}.{}", version.first, version.second);
}

}  // namespace

Result<std::string> choose_api_version(std::string_view engine_lowest,
                                       std::string_view engine_highest) {
  const auto highest = parse(engine_highest);
  // An engine that has no lowest one speaks all.
  const auto lowest = engine_lowest.empty() ? Version{1, 0} : parse(engine_lowest);
  if (!highest || !lowest) {
    return Error{ErrorKind::protocol,
                 fmt::format("the engine says that it speaks the API from '{}' to '{}'",
                             foreign_line(engine_lowest, 40), foreign_line(engine_highest, 40)),
                 "see that dockerSocket is that of a Docker engine"};
  }
  const Version chosen = std::max(*lowest, oldest_known);
  if (chosen <= *highest && chosen <= newest_known) return text_of(chosen);
  const bool too_old = *highest < oldest_known;
  return Error{ErrorKind::failed,
               fmt::format("the engine speaks its API from {} to {}, these tools from {} to {}",
                           text_of(*lowest), text_of(*highest), text_of(oldest_known),
                           text_of(newest_known)),
               too_old ? "update the engine: Docker 20.10 or newer" : "update these tools"};
}

}  // namespace slipway::deploy
