#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace slipway::deploy {

// One entry of the journal. Order is by sequence number, never by clock.
struct Record {
  std::uint64_t sequence = 0;
  std::string type;         // begin, intent, done, resume, end, refused, rebuilt, note
  std::string transaction;  // empty for entries that belong to none
  std::string time;         // RFC 3339 UTC, for people only
  nlohmann::json data = nlohmann::json::object();
};

// One line: 16 hexadecimal digits of the SHA-256 of what follows the blank, a blank, JSON, '\n'.
std::string encode(const Record& record);

// The journal's bytes as records. `valid_bytes` is where the last whole record ends: what follows
// is a torn tail (a write that was cut short) and is to be cut off before the next append.
struct Records {
  std::vector<Record> records;
  std::size_t valid_bytes = 0;
};

// Errors: corrupt, when something unreadable is followed by something readable, or when sequence
// numbers do not count up by one: bytes were lost or changed in the middle.
Result<Records> decode(std::string_view bytes);

}  // namespace slipway::deploy
