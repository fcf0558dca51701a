#include "deploy/docker/labels.hpp"

#include <string_view>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// Percent-encodes everything but unreserved characters (RFC 3986).
std::string url_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

}  // namespace

std::string label_filter(const std::vector<std::string>& labels) {
  return "filters=" + url_encode(json_object({{"label", json_strings(labels)}}));
}

}  // namespace slipway::deploy
