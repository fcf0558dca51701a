#pragma once

#include "wire/ilp_packet.hpp"

#include <array>
#include <memory>
#include <string_view>

namespace slipway::connector {

using Digest = std::array<std::uint8_t, 32>;

// SHA-256 with the algorithm looked up and the context allocated once, not for every digest.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  Digest digest(wire::Bytes bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether two digests are equal, in a time that does not depend on where they differ.
bool equal_in_constant_time(const Digest& a, const Digest& b);

}  // namespace slipway::connector
