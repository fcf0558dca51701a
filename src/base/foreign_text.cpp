#include "base/foreign_text.hpp"

#include <algorithm>
#include <cstdint>

namespace slipway {
namespace {

constexpr std::string_view hidden = "***";
constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD
constexpr char32_t invalid = 0xfffd;
constexpr char32_t escape = 0x1b;
constexpr char32_t bell = 0x07;
constexpr char32_t string_terminator = 0x9c;

// A character and the bytes that it takes; `invalid` and 1 where there is none (RFC 3629).
struct Character {
  char32_t code = invalid;
  std::size_t size = 1;
};

Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  char32_t code = lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3fU);
  }
  const char32_t lowest = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  if (code < lowest || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {code, size};
}

// What makes a terminal show text in another order than it has, or on another line.
bool is_reordering(char32_t code) {
  return code == 0x061c || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

bool is_c1(char32_t code) {
  return code >= 0x80 && code < 0xa0;
}

// Bytes of an escape sequence after its introducer: to the final byte, or, for those that carry a
// string (a title, a link), to their terminator. A string that does not end on its line is shown.
std::size_t sequence_length(std::string_view rest, char32_t introducer) {
  const bool control = introducer == '[' || introducer == 0x9b;
  const bool string = introducer == ']' || introducer == 'P' || introducer == 'X' ||
                      introducer == '^' || introducer == '_' || introducer == 0x9d ||
                      introducer == 0x90 || introducer == 0x98 || introducer == 0x9e ||
                      introducer == 0x9f;
  if (!control && !string) return 0;
  for (std::size_t at = 0; at < rest.size();) {
    const Character next = first_character(rest.substr(at));
    if (control && (next.code < 0x20 || next.code > 0x7e)) return at;
    if (string && next.code == '\n') return 0;
    if (string && rest.substr(at, 2) == "\x1b\\") return at + 2;
    // Another sequence ends a string, as on a terminal.
    const bool another =
        next.code == escape || (is_c1(next.code) && next.code != string_terminator);
    if (string && another) return at;
    at += next.size;
    if (control && next.code >= 0x40) return at;
    if (string && (next.code == bell || next.code == string_terminator)) return at;
  }
  return string ? 0 : rest.size();
}

// Without escape sequences and control characters, and UTF-8.
std::string plain(std::string_view said) {
  std::string text;
  while (!said.empty()) {
    const Character next = first_character(said);
    const std::string_view bytes = said.substr(0, next.size);
    said.remove_prefix(next.size);
    if (next.code == escape && !said.empty()) {
      // ESC, any intermediate bytes, and a final one, which may introduce more.
      const std::size_t final =
          std::min(said.find_first_not_of(" !\"#$%&'()*+,-./"), said.size() - 1);
      const char32_t introducer = static_cast<unsigned char>(said[final]);
      if (introducer < 0x20 || introducer > 0x7e) continue;
      said.remove_prefix(final + 1);
      said.remove_prefix(sequence_length(said, introducer));
    } else if (is_c1(next.code)) {
      said.remove_prefix(sequence_length(said, next.code));
    } else if (next.code == invalid || is_reordering(next.code)) {
      text += replacement;
    } else if ((next.code < 0x20 && next.code != '\n') || next.code == 0x7f) {
      text += ' ';
    } else {
      text += bytes;
    }
  }
  return text;
}

// Marks each occurrence of a secret, also where it overlaps another.
void mark_secrets(std::string_view text, const std::vector<std::string>& secrets,
                  std::vector<bool>& marks) {
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (std::size_t at = text.find(secret); at != std::string_view::npos;
         at = text.find(secret, at + 1)) {
      std::fill_n(marks.begin() + static_cast<std::ptrdiff_t>(at), secret.size(), true);
    }
  }
}

// Marks "user:password" of "scheme://user:password@host".
void mark_credentials(std::string_view text, std::vector<bool>& marks) {
  for (std::size_t at = text.find("://"); at != std::string_view::npos;
       at = text.find("://", at + 3)) {
    const std::size_t end = text.find_first_of("@/?# \n\"'<>", at + 3);
    if (end == std::string_view::npos || text[end] != '@') continue;
    std::fill(marks.begin() + static_cast<std::ptrdiff_t>(at + 3),
              marks.begin() + static_cast<std::ptrdiff_t>(end), true);
  }
}

std::string redacted(std::string_view text, const std::vector<std::string>& secrets) {
  std::vector<bool> marks(text.size(), false);
  mark_secrets(text, secrets, marks);
  mark_credentials(text, marks);
  std::string shown;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!marks[at]) shown += text[at];
    if (marks[at] && (at == 0 || !marks[at - 1])) shown += hidden;
  }
  return shown;
}

// Before, because a secret may hold what plain() changes; after, because one may be interrupted by
// what it leaves out.
std::string presentable(std::string_view said, const std::vector<std::string>& secrets) {
  return redacted(plain(redacted(said, secrets)), secrets);
}

bool is_inside_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80;
}

}  // namespace

std::string foreign_text(std::string_view said, std::size_t most,
                         const std::vector<std::string>& secrets) {
  const std::string text = presentable(said, secrets);
  std::string_view end = text;
  while (!end.empty() && (end.back() == '\n' || end.back() == ' ')) end.remove_suffix(1);
  if (end.size() > most) end.remove_prefix(end.size() - most);
  while (!end.empty() && is_inside_character(end.front())) end.remove_prefix(1);
  return std::string(end);
}

std::string foreign_line(std::string_view said, std::size_t most,
                         const std::vector<std::string>& secrets) {
  std::string text = presentable(said, secrets);
  std::replace(text.begin(), text.end(), '\n', ' ');
  text.erase(text.find_last_not_of(' ') + 1);
  if (text.size() <= most) return text;
  while (most > 0 && is_inside_character(text[most])) --most;
  return text.substr(0, most) + "...";
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Character next = first_character(text);
    const bool replaced = text.substr(0, next.size) == replacement;
    if (next.code == invalid && !replaced) return false;
    text.remove_prefix(next.size);
  }
  return true;
}

}  // namespace slipway
