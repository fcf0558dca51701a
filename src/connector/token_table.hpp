#pragma once

#include "base/sha256.hpp"
#include "connector/config.hpp"
#include "connector/route_table.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace slipway::connector {

// Which account a bearer token belongs to. Only digests are kept, and every one of them is compared
// in constant time, so that timing tells nothing about the tokens.
class TokenTable {
 public:
  explicit TokenTable(const Config& config);

  // `user` may be empty; else it must be the account's id.
  std::optional<AccountIndex> authenticate(std::string_view user, std::string_view token);

 private:
  struct Entry {
    Digest digest;
    AccountIndex account;
  };
  const Config& config_;
  Sha256 sha256_;
  std::vector<Entry> entries_;
};

}  // namespace slipway::connector
