#pragma once

#include "deploy/kubernetes/cluster_api.hpp"
#include "deploy/ports/journal.hpp"

#include <memory>
#include <string>
#include <vector>

namespace slipway::deploy {

// The journal in a ConfigMap, which the API server changes as a whole or not at all. Each record is
// refused when somebody else wrote since this was read: of two operations one stops. An object has
// room for a megabyte; what exceeds `most_bytes` is compacted.
class ObjectJournal : public Journal {
 public:
  static constexpr std::size_t most_bytes = std::size_t{600} << 10;
  static constexpr std::size_t kept_records = 300;

  // Errors: corrupt, protocol (as decode()), unreachable, usage, failed.
  static Result<std::unique_ptr<Journal>> open(ClusterApi& api);

  const std::vector<Record>& records() const override { return records_; }
  // Errors: busy (somebody else wrote), unreachable, failed.
  Result<void> append(std::string transaction, std::string time, Entry entry) override;

  // Keeps a damaged one under another name.
  static Result<void> set_aside(ClusterApi& api);

 private:
  ObjectJournal(ClusterApi& api, Names names) : api_(api), names_(std::move(names)) {}
  Result<void> write(const std::string& text);

  ClusterApi& api_;
  Names names_;
  std::vector<Record> records_;
  std::string text_;
  std::string version_;  // resourceVersion; empty: there is none yet
};

}  // namespace slipway::deploy
