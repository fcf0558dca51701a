#pragma once

#include "wire/ilp_packet.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

// Octet Encoding Rules as the Interledger profiles them (RFC 0030): what the decoders and encoders
// of this room are written in. Pure, and no allocation in reading.
namespace slipway::wire::oer {

// Reads fields from the front of a byte string. Every read either succeeds or leaves the reader
// failed for good with the name of the field and the reason; reads after that return empty values.
class Reader {
 public:
  explicit Reader(Bytes bytes) : rest_(bytes) {}

  bool failed() const { return reason_ != nullptr; }
  // "amount: truncated", for an error message.
  std::string failure() const;
  void fail(const char* field, const char* reason) {
    if (reason_ == nullptr) field_ = field, reason_ = reason;
  }

  std::uint8_t read_u8(const char* field) {
    const Bytes bytes = read_fixed(field, 1);
    return bytes.empty() ? std::uint8_t{0} : bytes[0];
  }
  std::uint32_t read_u32(const char* field) {
    return static_cast<std::uint32_t>(read_big_endian(field, 4));
  }
  std::uint64_t read_u64(const char* field) { return read_big_endian(field, 8); }
  Bytes read_fixed(const char* field, std::size_t size) {
    if (failed()) return {};
    if (rest_.size() < size) {
      fail(field, "truncated");
      return {};
    }
    const Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  // A length-prefixed octet string of at most `limit` bytes.
  Bytes read_var(const char* field, std::size_t limit);
  std::string_view read_text(const char* field, std::size_t limit) {
    const Bytes bytes = read_var(field, limit);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // An unsigned integer as a length-prefixed octet string without leading zeros, at most 8 bytes.
  std::uint64_t read_var_uint(const char* field);

  Bytes rest() const { return rest_; }

 private:
  std::uint64_t read_big_endian(const char* field, std::size_t size);
  std::size_t read_length(const char* field);

  Bytes rest_;
  const char* field_ = nullptr;
  const char* reason_ = nullptr;
};

// How many bytes the length determinant of `length` takes.
inline std::size_t length_size(std::size_t length) {
  if (length < 0x80) return 1;
  return 1 + (static_cast<std::size_t>(std::bit_width(length)) + 7) / 8;
}

// Each writes at `at`, which has room, and returns the position after it.
inline std::uint8_t* put_u8(std::uint8_t* at, std::uint8_t value) {
  *at = value;
  return at + 1;
}
inline std::uint8_t* put_u32(std::uint8_t* at, std::uint32_t value) {
  value = __builtin_bswap32(value);
  std::memcpy(at, &value, sizeof value);
  return at + sizeof value;
}
inline std::uint8_t* put_u64(std::uint8_t* at, std::uint64_t value) {
  value = __builtin_bswap64(value);
  std::memcpy(at, &value, sizeof value);
  return at + sizeof value;
}
inline std::uint8_t* put_bytes(std::uint8_t* at, Bytes bytes) {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}
std::uint8_t* put_length(std::uint8_t* at, std::size_t length);
inline std::uint8_t* put_var(std::uint8_t* at, Bytes bytes) {
  return put_bytes(put_length(at, bytes.size()), bytes);
}

// The bytes put_var writes for a string of that size.
inline std::size_t var_size(std::size_t size) {
  return length_size(size) + size;
}

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Makes room for `size` more bytes at the end of `out` and returns where they start.
std::uint8_t* extend(std::vector<std::uint8_t>& out, std::size_t size);

}  // namespace slipway::wire::oer
