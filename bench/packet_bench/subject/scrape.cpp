#include "packet_bench/subject/scrape.hpp"

#include "base/unique_fd.hpp"
#include "packet_bench/common/clock.hpp"
#include "packet_bench/target/connection.hpp"
#include "packet_bench/target/http_response.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

constexpr std::size_t largest_page = std::size_t{16} << 20;
constexpr std::chrono::seconds patience{2};

Error no_metrics(const Target& page, std::string_view why, ErrorKind kind) {
  return {kind, fmt::format("cannot read the metrics at {}: {}", page.text(), why),
          "correct --metrics, or leave it out"};
}

// A connection whose steps block, in the clear or through TLS; none takes longer than `patience`.
class Line {
 public:
  net::TlsStep open(const Address& address) {
    fd_.reset(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval limit{patience.count(), 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address.storage);
    if (::connect(fd_.get(), generic, address.size) != 0) return step_of(-1);
    if (!address.tls) return net::TlsStep::done;
    tls_ = address.tls->session(address.host, fd_.get());
    return tls_->handshake();
  }
  net::TlsStep write(std::string_view text) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    std::size_t put = 0;
    if (tls_) return tls_->write({bytes, text.size()}, put);
    return step_of(::send(fd_.get(), bytes, text.size(), MSG_NOSIGNAL));
  }
  net::TlsStep read(std::span<std::uint8_t> room, std::size_t& got) {
    if (tls_) return tls_->read(room, got);
    const ssize_t size = ::recv(fd_.get(), room.data(), room.size(), 0);
    got = static_cast<std::size_t>(std::max<ssize_t>(size, 0));
    return step_of(size);
  }
  // Of a step that is not `done`.
  std::string failure(net::TlsStep step) const {
    if (step == net::TlsStep::closed) return "closed by the other side";
    if (step != net::TlsStep::failed) return "no answer in time";
    return tls_ ? tls_->failure() : std::generic_category().message(error_);
  }

 private:
  net::TlsStep step_of(ssize_t outcome) {
    if (outcome > 0) return net::TlsStep::done;
    if (outcome == 0) return net::TlsStep::closed;
    error_ = errno;
    const bool in_time = error_ != EAGAIN && error_ != EINPROGRESS;
    return in_time ? net::TlsStep::failed : net::TlsStep::wants_read;
  }

  UniqueFd fd_;
  std::unique_ptr<net::TlsSession> tls_;
  int error_ = 0;
};

// All that comes until the other side closes.
Result<std::string> exchange(const Target& page, const Address& address) {
  const TimePoint deadline = Clock::now() + patience;
  Line line;
  net::TlsStep step = line.open(address);
  if (step == net::TlsStep::done) {
    step = line.write(fmt::format("GET {} HTTP/1.0\r\nHost: {}:{}\r\nConnection: close\r\n\r\n",
                                  page.path, page.host, page.port));
  }
  std::string answer;
  std::array<std::uint8_t, 16384> buffer;
  while (step == net::TlsStep::done) {
    std::size_t got = 0;
    step = line.read(buffer, got);
    answer.append(buffer.begin(), buffer.begin() + got);
    if (step == net::TlsStep::closed && !answer.empty()) return answer;
    if (Clock::now() > deadline || answer.size() > largest_page) step = net::TlsStep::wants_read;
  }
  return no_metrics(page, line.failure(step), ErrorKind::unreachable);
}

Result<std::string> fetch(const Target& page, const std::shared_ptr<const net::TlsContext>& tls) {
  const auto address = resolve(page, tls);
  if (!address) return address.error();
  const auto answer = exchange(page, *address);
  if (!answer) return answer;
  HttpResponse response;
  const HttpParse parsed = parse_http_response(*answer, response, HttpEnd::closed);
  if (parsed == HttpParse::incomplete) {
    return no_metrics(page, "it was cut off before its end", ErrorKind::protocol);
  }
  if (parsed == HttpParse::invalid || response.chunked) {
    return no_metrics(page, "it does not speak HTTP/1.0", ErrorKind::protocol);
  }
  if (response.status != 200) {
    return no_metrics(page, fmt::format("it answered {}", response.status), ErrorKind::protocol);
  }
  return std::string(response.body);
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

Result<Scrape> scrape(const Target& page, const std::shared_ptr<const net::TlsContext>& tls) {
  const auto text = fetch(page, tls);
  if (!text) return text.error();
  return parse_metrics(*text);
}

}  // namespace slipway::bench
