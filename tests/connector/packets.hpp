#pragma once

#include "wire/ilp_packet.hpp"

#include <array>
#include <string>
#include <vector>

#include <openssl/sha.h>

namespace slipway::connector::test {

using Preimage = std::array<std::uint8_t, 32>;

// A preimage of its own for each number, and a Prepare whose condition is its SHA-256 (by OpenSSL's
// one-shot function, which the connector does not use) and whose data begins with it.
inline Preimage preimage_of(std::uint64_t number) {
  Preimage preimage;
  const std::string text = "preimage " + std::to_string(number);
  ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), preimage.data());
  return preimage;
}

struct PrepareFields {
  std::uint64_t number = 1;
  std::uint64_t amount = 100;
  std::string destination = "test.hub.bob";
  wire::Timestamp expires_at;
};

inline std::vector<std::uint8_t> make_prepare(const PrepareFields& fields) {
  const Preimage preimage = preimage_of(fields.number);
  std::array<std::uint8_t, 32> condition;
  ::SHA256(preimage.data(), preimage.size(), condition.data());
  std::vector<std::uint8_t> packet;
  wire::encode(
      wire::Prepare{fields.amount, fields.expires_at, condition, fields.destination, preimage},
      packet);
  return packet;
}

inline std::vector<std::uint8_t> make_fulfill(const Preimage& preimage) {
  std::vector<std::uint8_t> packet;
  wire::encode(wire::Fulfill{preimage, {}}, packet);
  return packet;
}

inline std::vector<std::uint8_t> make_reject(std::string_view code) {
  std::vector<std::uint8_t> packet;
  wire::encode(wire::Reject{code, "test.hub.bob", "no", {}}, packet);
  return packet;
}

}  // namespace slipway::connector::test
