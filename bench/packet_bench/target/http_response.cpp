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
  bool encoded = false;  // there is a Transfer-Encoding, so the length is none
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
    if (field.starts_with(' ') || field.starts_with('\t')) continue;  // of the line before
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos) return false;
    if (!function(trimmed(field.substr(0, colon)), trimmed(field.substr(colon + 1)))) return false;
  }
  return true;
}

// Calls `function` with each member of a list "a, b".
template <typename Function>
void for_each_member(std::string_view list, Function&& function) {
  for (;;) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view member = trimmed(list.substr(0, comma));
    if (!member.empty()) function(member);
    if (comma == list.size()) return;
    list.remove_prefix(comma + 1);
  }
}

// What is wrong with the length, or nothing. Several that agree are one (RFC 9110, 8.6).
std::string_view take_length(std::string_view value, Head& head) {
  std::string_view fault = value.empty() ? "its Content-Length is empty" : "";
  for_each_member(value, [&](std::string_view member) {
    std::size_t length = 0;
    if (!parse_number(member, length)) {
      fault = "its Content-Length is no number";
    } else if (length > max_body) {
      fault = "its answer is longer than 64 MiB";
    } else if (head.length && *head.length != length) {
      fault = "its Content-Lengths contradict each other";
    }
    head.length = length;
  });
  return fault;
}

// What is wrong with it, or nothing.
std::string_view parse_head(std::string_view text, Head& head) {
  const std::string_view line = text.substr(0, text.find("\r\n"));
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ' ||
      !parse_number(line.substr(9, 3), head.status) || head.status < 100) {
    return "its answer has no status";
  }
  head.closes = line[7] == '0';
  std::string_view fault;
  const bool fields = for_each_field(text, [&](std::string_view name, std::string_view value) {
    if (is(name, "content-length")) {
      fault = take_length(value, head);
    } else if (is(name, "transfer-encoding")) {
      head.encoded = true;
      for_each_member(value, [&](std::string_view each) { head.chunked = is(each, "chunked"); });
    } else if (is(name, "connection")) {
      for_each_member(value, [&](std::string_view each) {
        if (is(each, "close")) head.closes = true;
        if (is(each, "keep-alive")) head.closes = false;
      });
    }
    return fault.empty();
  });
  return fields || !fault.empty() ? fault : "a line of its head is no field";
}

HttpParse refused(std::string_view why, HttpResponse& response) {
  response.fault = why;
  return HttpParse::invalid;
}

// Where the head at the front of `rest` ends, or what its lack means.
HttpParse head_size(std::string_view rest, HttpResponse& response, std::size_t& size) {
  const std::string_view magic = "HTTP/1.";
  if (!rest.starts_with(magic.substr(0, std::min(rest.size(), magic.size())))) {
    return refused("it does not speak HTTP/1.1", response);
  }
  size = rest.find("\r\n\r\n");
  if (size != std::string_view::npos) return HttpParse::response;
  if (rest.find("\n\n") != std::string_view::npos) {
    return refused("it ends lines with a bare LF", response);
  }
  return rest.size() > max_head ? refused("its head is longer than 64 KiB", response)
                                : HttpParse::incomplete;
}

// The size of the body that `head` promises, at the front of `rest`.
HttpParse body_size(std::string_view rest, const Head& head, bool ended, HttpResponse& response,
                    std::size_t& size) {
  if (head.chunked) {
    const HttpParse chunks = chunked_size(rest, size);
    return chunks == HttpParse::invalid ? refused("its chunks are none", response) : chunks;
  }
  if (head.length && !head.encoded) {
    size = *head.length;
    return rest.size() < size ? HttpParse::incomplete : HttpParse::response;
  }
  // It ends with the connection (RFC 9112, 6.3).
  size = rest.size();
  if (size > max_body) return refused("its answer is longer than 64 MiB", response);
  return ended ? HttpParse::response : HttpParse::incomplete;
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

HttpParse parse_http_response(std::string_view input, HttpResponse& response, bool to_head,
                              bool ended) {
  std::size_t skipped = 0;
  for (;;) {
    const std::string_view rest = input.substr(skipped);
    std::size_t head_end = 0;
    const HttpParse headed = head_size(rest, response, head_end);
    if (headed != HttpParse::response) return headed;
    Head head;
    const std::string_view fault = parse_head(rest.substr(0, head_end), head);
    if (!fault.empty()) return refused(fault, response);
    const std::size_t body_at = head_end + 4;
    if (head.status == 101) return refused("it switches to another protocol", response);
    if (head.status < 200) {
      skipped += body_at;
      continue;
    }
    std::size_t size = 0;
    const bool bodyless = to_head || head.status == 204 || head.status == 304;
    if (!bodyless) {
      const HttpParse body = body_size(rest.substr(body_at), head, ended, response, size);
      if (body != HttpParse::response) return body;
    }
    const bool delimited = bodyless || head.chunked || (head.length && !head.encoded);
    response = {.status = head.status,
                .head = rest.substr(0, head_end),
                .body = rest.substr(body_at, size),
                .chunked = head.chunked && !bodyless,
                .closes = head.closes || !delimited,
                .size = skipped + body_at + size};
    return HttpParse::response;
  }
}

}  // namespace slipway::bench
