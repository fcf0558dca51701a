#include "wire/oer.hpp"

namespace slipway::wire::oer {

std::string Reader::failure() const {
  return failed() ? std::string(field_) + ": " + reason_ : std::string();
}

std::uint64_t Reader::read_big_endian(const char* field, std::size_t size) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : read_fixed(field, size)) value = value << 8 | byte;
  return value;
}

std::size_t Reader::read_length(const char* field) {
  const std::uint8_t first = read_u8(field);
  if (first < 0x80) return first;
  const std::size_t count = first & 0x7f;
  if (count == 0) {
    fail(field, "indefinite length");
    return 0;
  }
  if (count > sizeof(std::size_t)) {
    fail(field, "length of more than 8 bytes");
    return 0;
  }
  const std::uint64_t length = read_big_endian(field, count);
  // One way to write each length: no leading zeros, and the short form where it fits.
  if (!failed() && (length < 0x80 || length >> (8 * (count - 1)) == 0)) {
    fail(field, "length not canonical");
  }
  return failed() ? 0 : length;
}

Bytes Reader::read_var(const char* field, std::size_t limit) {
  const std::size_t length = read_length(field);
  if (length > limit) {
    fail(field, "too long");
    return {};
  }
  return read_fixed(field, length);
}

std::uint64_t Reader::read_var_uint(const char* field) {
  const Bytes bytes = read_var(field, 8);
  if (failed()) return 0;
  if (bytes.empty() || (bytes.size() > 1 && bytes[0] == 0)) {
    fail(field, "integer not canonical");
    return 0;
  }
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

std::uint8_t* put_length(std::uint8_t* at, std::size_t length) {
  const std::size_t size = length_size(length);
  if (size == 1) return put_u8(at, static_cast<std::uint8_t>(length));
  *at++ = static_cast<std::uint8_t>(0x80 | (size - 1));
  for (std::size_t i = size - 1; i > 0; --i) {
    *at++ = static_cast<std::uint8_t>(length >> (8 * (i - 1)));
  }
  return at;
}

std::uint8_t* extend(std::vector<std::uint8_t>& out, std::size_t size) {
  const std::size_t before = out.size();
  out.resize(before + size);
  return out.data() + before;
}

}  // namespace slipway::wire::oer
