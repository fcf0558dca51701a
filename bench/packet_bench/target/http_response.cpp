#include "packet_bench/target/http_response.hpp"

#include <algorithm>
#include <charconv>

namespace slipway::bench {
namespace {

constexpr std::size_t max_head = 65536;
constexpr std::size_t max_body = std::size_t{64} << 20;

// ASCII, whatever the locale.
char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

// The same but for the case of letters.
bool is(std::string_view text, std::string_view other) {
  return std::equal(text.begin(), text.end(), other.begin(), other.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

template <typename Number>
bool parse_number(std::string_view text, Number& number, int base = 10) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return failed == std::errc{} && end == text.data() + text.size();
}

// The size of a chunked body with its trailers at the front of `input`.
HttpParse chunked_size(std::string_view input, std::size_t& size) {
  std::size_t at = 0;
  for (;;) {
    const std::size_t line_end = input.find("\r\n", at);
    if (line_end == std::string_view::npos) {
      return input.size() - at > max_head ? HttpParse::invalid : HttpParse::incomplete;
    }
    std::string_view line = input.substr(at, line_end - at);
    line = trimmed(line.substr(0, line.find(';')));
    std::size_t chunk = 0;
    if (!parse_number(line, chunk, 16) || chunk > max_body) return HttpParse::invalid;
    at = line_end + 2;
    if (chunk == 0) break;
    if (input.size() < at + chunk + 2) return HttpParse::incomplete;
    if (input.substr(at + chunk, 2) != "\r\n") return HttpParse::invalid;
    at += chunk + 2;
  }
  for (;;) {  // trailers, up to an empty line
    const std::size_t line_end = input.find("\r\n", at);
    if (line_end == std::string_view::npos) return HttpParse::incomplete;
    const bool last = line_end == at;
    at = line_end + 2;
    if (last) break;
  }
  size = at;
  return HttpParse::response;
}

struct Head {
  int status = 0;
  std::optional<std::size_t> length;
  bool chunked = false;
  bool closes = false;
};

// Calls `function` with the name and the value of each field, until it says false; false then, or
// where a line is no field.
template <typename Function>
bool for_each_field(std::string_view head, Function&& function) {
  std::size_t at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    at += 2;
    const std::size_t end = head.find("\r\n", at);
    const std::string_view field = head.substr(at, end == std::string_view::npos ? end : end - at);
    at = end;
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos) return false;
    if (!function(field.substr(0, colon), trimmed(field.substr(colon + 1)))) return false;
  }
  return true;
}

bool parse_head(std::string_view head, Head& parsed) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') return false;
  if (!parse_number(line.substr(9, 3), parsed.status) || parsed.status < 100) return false;
  parsed.closes = line[7] == '0';
  return for_each_field(head, [&](std::string_view name, std::string_view value) {
    if (is(name, "content-length")) {
      std::size_t length = 0;
      if (!parse_number(value, length) || length > max_body) return false;
      parsed.length = length;
    } else if (is(name, "transfer-encoding")) {
      parsed.chunked = is(value, "chunked");
      if (!parsed.chunked) return false;
    } else if (is(name, "connection")) {
      if (is(value, "close")) parsed.closes = true;
      if (is(value, "keep-alive")) parsed.closes = false;
    }
    return true;
  });
}

}  // namespace

std::optional<std::string_view> HttpResponse::header(std::string_view name) const {
  std::optional<std::string_view> found;
  for_each_field(head, [&](std::string_view each, std::string_view value) {
    if (is(each, name)) found = value;
    return !found;
  });
  return found;
}

std::string unchunked(std::string_view body) {
  std::string content;
  for (;;) {
    const std::size_t line_end = body.find("\r\n");
    std::string_view line = body.substr(0, line_end);
    line = trimmed(line.substr(0, line.find(';')));
    std::size_t chunk = 0;
    if (!parse_number(line, chunk, 16) || chunk == 0) return content;
    content += body.substr(line_end + 2, chunk);
    body.remove_prefix(std::min(body.size(), line_end + 2 + chunk + 2));
  }
}

HttpParse parse_http_response(std::string_view input, HttpResponse& response, bool to_head) {
  std::size_t skipped = 0;
  for (;;) {
    const std::string_view rest = input.substr(skipped);
    const std::string_view magic = "HTTP/1.";
    if (!rest.starts_with(magic.substr(0, std::min(rest.size(), magic.size())))) {
      return HttpParse::invalid;
    }
    const std::size_t head_end = rest.find("\r\n\r\n");
    if (head_end == std::string_view::npos) {
      return rest.size() > max_head ? HttpParse::invalid : HttpParse::incomplete;
    }
    Head head;
    if (!parse_head(rest.substr(0, head_end), head)) return HttpParse::invalid;
    const std::size_t body_at = head_end + 4;
    if (head.status < 200) {
      skipped += body_at;
      continue;
    }
    std::size_t body_size = 0;
    const bool bodyless = to_head || head.status == 204 || head.status == 304;
    if (!bodyless && head.chunked) {
      const HttpParse chunks = chunked_size(rest.substr(body_at), body_size);
      if (chunks != HttpParse::response) return chunks;
    } else if (!bodyless) {
      if (!head.length) return HttpParse::invalid;
      body_size = *head.length;
    }
    if (rest.size() < body_at + body_size) return HttpParse::incomplete;
    response = {.status = head.status,
                .head = rest.substr(0, head_end),
                .body = rest.substr(body_at, body_size),
                .chunked = head.chunked && !bodyless,
                .closes = head.closes,
                .size = skipped + body_at + body_size};
    return HttpParse::response;
  }
}

}  // namespace slipway::bench
