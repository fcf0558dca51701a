#include "packet_bench/run/request_file.hpp"

#include "base/durable_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

constexpr std::array<std::string_view, 6> methods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
constexpr std::size_t most_requests = 10'000;
constexpr std::string_view blanks = " \t\r";

// The next word of the line, which is taken from it.
std::string_view word_of(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

std::optional<HttpRequest::Part> part_of(std::string_view line) {
  const std::string_view weight = word_of(line);
  const std::string_view method = word_of(line);
  const std::string_view path = word_of(line);
  HttpRequest::Part part{.method = std::string(method), .path = std::string(path)};
  const auto [end, failed] =
      std::from_chars(weight.data(), weight.data() + weight.size(), part.weight);
  const bool right =
      failed == std::errc{} && end == weight.data() + weight.size() && part.weight > 0 &&
      part.weight <= 1e9 && is_method(method) && path.starts_with('/') && word_of(line).empty() &&
      std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 127; });
  if (!right) return std::nullopt;
  return part;
}

}  // namespace

bool is_method(std::string_view word) {
  return std::find(methods.begin(), methods.end(), word) != methods.end();
}

Result<std::vector<HttpRequest::Part>> read_requests(const std::filesystem::path& file) {
  const auto content = read_file(file, std::size_t{16} << 20);
  if (!content) return Error{ErrorKind::usage, "--requests: " + content.error().what, {}};
  std::vector<HttpRequest::Part> parts;
  std::string_view rest = *content;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    std::string_view words = line;
    const std::string_view first = word_of(words);
    if (first.empty() || first.starts_with('#')) continue;
    auto part = part_of(line);
    if (!part || parts.size() == most_requests) {
      return Error{ErrorKind::usage,
                   fmt::format("--requests {}: line {} is {}", file.string(), number,
                               part ? "one too many" : "no request"),
                   fmt::format("write WEIGHT METHOD PATH, as in '3 GET /price', at most {} of them",
                               most_requests)};
    }
    parts.push_back(std::move(*part));
  }
  if (!parts.empty()) return parts;
  return Error{ErrorKind::usage, fmt::format("--requests {} has no request", file.string()),
               "write WEIGHT METHOD PATH, as in '3 GET /price'"};
}

}  // namespace slipway::bench
