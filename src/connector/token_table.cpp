#include "connector/token_table.hpp"

#include "wire/oer.hpp"

namespace slipway::connector {

TokenTable::TokenTable(const Config& config) : config_(config) {
  for (AccountIndex i = 0; i < config.accounts.size(); ++i) {
    const std::string& token = config.accounts[i].token;
    if (!token.empty()) entries_.push_back({sha256_.digest(wire::oer::as_bytes(token)), i});
  }
}

std::optional<AccountIndex> TokenTable::authenticate(std::string_view user,
                                                     std::string_view token) {
  const Digest digest = sha256_.digest(wire::oer::as_bytes(token));
  std::optional<AccountIndex> found;
  for (const Entry& entry : entries_) {
    if (equal_in_constant_time(entry.digest, digest)) found = entry.account;
  }
  if (found && !user.empty() && config_.accounts[*found].id != user) return std::nullopt;
  return found;
}

}  // namespace slipway::connector
