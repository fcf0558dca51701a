#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::connector {

using AccountIndex = std::uint32_t;

// Routes by longest prefix of whole segments: "g.a" matches "g.a" and "g.a.b", not "g.ab"; the
// empty prefix matches everything. A lookup hashes the address once, at its dots, and probes from
// the longest prefix that the table could hold; it allocates nothing.
class RouteTable {
 public:
  // A prefix added again replaces the earlier one.
  void add(std::string_view prefix, AccountIndex account);
  std::optional<AccountIndex> find(std::string_view address) const;
  std::size_t size() const { return size_; }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t offset = 0;  // of the prefix in text_
    std::uint16_t length = 0;
    bool used = false;
    AccountIndex account = 0;
  };
  const Slot* probe(std::uint64_t hash, std::string_view prefix) const;
  void insert(const Slot& slot);
  void grow();

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::string text_;
  std::size_t size_ = 0;
  std::size_t longest_ = 0;  // prefix, in bytes
  std::optional<AccountIndex> default_;
};

}  // namespace slipway::connector
