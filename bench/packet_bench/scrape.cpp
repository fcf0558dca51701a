#include "packet_bench/scrape.hpp"

#include "base/unique_fd.hpp"
#include "packet_bench/connection.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

constexpr std::size_t largest_page = std::size_t{16} << 20;

Error no_metrics(const Target& page, std::string_view why, ErrorKind kind) {
  return {kind, fmt::format("cannot read the metrics at {}: {}", page.text(), why),
          "correct --metrics, or leave it out"};
}

Result<std::string> fetch(const Target& page) {
  const auto address = resolve(page, nullptr);
  if (!address) return address.error();
  const UniqueFd fd(::socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{2, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address->storage);
  if (::connect(fd.get(), generic, address->size) != 0) {
    return no_metrics(page, std::generic_category().message(errno), ErrorKind::unreachable);
  }
  const std::string request =
      fmt::format("GET {} HTTP/1.0\r\nHost: {}:{}\r\nConnection: close\r\n\r\n", page.path,
                  page.host, page.port);
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    return no_metrics(page, std::generic_category().message(errno), ErrorKind::unreachable);
  }
  std::string answer;
  for (std::array<char, 16384> buffer; answer.size() < largest_page;) {
    const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (got < 0) {
      return no_metrics(page, std::generic_category().message(errno), ErrorKind::unreachable);
    }
    if (got == 0) break;
    answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const std::size_t body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.") || body == std::string::npos) {
    return no_metrics(page, "it does not speak HTTP", ErrorKind::protocol);
  }
  if (answer.substr(8, 4) != " 200") {
    return no_metrics(page, "it answered" + answer.substr(8, 4), ErrorKind::protocol);
  }
  return answer.substr(body + 4);
}

std::optional<double> value_at_end(std::string_view line) {
  const std::size_t close = line.rfind('}');
  const std::size_t space = line.find(' ', close == std::string_view::npos ? 0 : close);
  if (space == std::string_view::npos) return std::nullopt;
  const char* const begin = line.data() + space + 1;
  double value = 0;
  const auto [end, failed] = std::from_chars(begin, line.data() + line.size(), value);
  if (failed != std::errc{} || end == begin) return std::nullopt;
  return value;
}

void take_line(std::string_view line, Scrape& scrape) {
  const auto value = value_at_end(line);
  if (!value) return;
  if (line.starts_with("process_cpu_seconds_total ")) scrape.cpu_seconds = value;
  if (line.starts_with("process_resident_memory_bytes ")) scrape.resident_bytes = value;
  if (!line.starts_with("ilp_packets_total{")) return;
  if (line.find("direction=\"in\"") == std::string_view::npos) return;
  const bool fulfilled = line.find("result=\"fulfilled\"") != std::string_view::npos;
  auto& sum = fulfilled ? scrape.fulfilled : scrape.rejected;
  sum = sum.value_or(0) + static_cast<std::uint64_t>(*value);
}

}  // namespace

Scrape parse_metrics(std::string_view text) {
  Scrape scrape;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (!line.starts_with('#')) take_line(line, scrape);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return scrape;
}

Result<Scrape> scrape(const Target& page) {
  const auto text = fetch(page);
  if (!text) return text.error();
  return parse_metrics(*text);
}

}  // namespace slipway::bench
