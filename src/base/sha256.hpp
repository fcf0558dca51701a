#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace slipway {

using Digest = std::array<std::uint8_t, 32>;

// SHA-256 (FIPS 180-4) with the algorithm looked up and the context allocated once: OpenSSL's
// one-shot calls spend more on that than on a short digest. Throws where OpenSSL has none.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  Digest digest(std::span<const std::uint8_t> bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// As 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

// Whether two digests are equal, in a time that does not depend on where they differ.
bool equal_in_constant_time(const Digest& a, const Digest& b);

}  // namespace slipway
