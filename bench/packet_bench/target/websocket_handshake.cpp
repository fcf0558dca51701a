#include "packet_bench/target/websocket_handshake.hpp"

#include "base/base64.hpp"
#include "base/foreign_text.hpp"

#include <array>
#include <cctype>
#include <cstring>
#include <optional>
#include <span>

#include <fmt/core.h>
#include <openssl/evp.h>

namespace slipway::bench::websocket {
namespace {

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(a[i])) !=
        std::tolower(static_cast<unsigned char>(b[i]))) {
      return false;
    }
  }
  return true;
}

std::optional<std::string_view> header_value(std::string_view head, std::string_view name) {
  std::size_t line = head.find("\r\n");
  while (line != std::string_view::npos) {
    line += 2;
    const std::size_t end = head.find("\r\n", line);
    const std::string_view text =
        head.substr(line, end == std::string_view::npos ? end : end - line);
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos && equals_ignoring_case(text.substr(0, colon), name)) {
      std::string_view value = text.substr(colon + 1);
      while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
      while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
      return value;
    }
    line = end;
  }
  return std::nullopt;
}

}  // namespace

std::string make_key(std::uint64_t high, std::uint64_t low) {
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &high, 8);
  std::memcpy(bytes.data() + 8, &low, 8);
  return base64(bytes);
}

std::string accept_for(std::string_view key) {
  const std::string joined = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<std::uint8_t, 20> digest;
  ::EVP_Digest(joined.data(), joined.size(), digest.data(), nullptr, ::EVP_sha1(), nullptr);
  return base64(digest);
}

std::string upgrade_request(std::string_view authority, std::string_view path,
                            std::string_view key) {
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\n\r\n",
      path, authority, key);
}

constexpr std::size_t longest_status = 120;

std::string upgrade_refusal(std::string_view head, std::string_view key) {
  const std::string_view status_line = head.substr(0, head.find("\r\n"));
  if (!status_line.starts_with("HTTP/1.1 ")) return "it does not speak HTTP";
  if (status_line.substr(9, 3) != "101") {
    return fmt::format("it answered '{}' to the WebSocket upgrade",
                       foreign_line(status_line, longest_status));
  }
  const auto accept = header_value(head, "Sec-WebSocket-Accept");
  if (!accept || *accept != accept_for(key)) return "its Sec-WebSocket-Accept is wrong";
  if (header_value(head, "Sec-WebSocket-Extensions")) return "it uses an extension nobody offered";
  return {};
}

}  // namespace slipway::bench::websocket
