#pragma once

#include "deploy/ports/store.hpp"
#include "deploy/state/config.hpp"

namespace slipway::deploy {

// Files below the host's stateDir: `lock`, `journal`, `snapshots/HASH`.
class HostStore : public Store {
 public:
  explicit HostStore(const Config& config) : config_(config) {}

  Result<void> prepare() override;
  Result<std::unique_ptr<Lock>> acquire_lock(const LockOwner& owner) override;
  std::unique_ptr<Lock> adopt_lock(const std::string& handle) override;
  std::optional<LockOwner> lock_holder() override;
  Result<std::optional<LockOwner>> end_lock_holder() override;
  Result<std::unique_ptr<Journal>> open_journal() override;
  Result<void> set_aside_journal() override;
  Result<std::shared_ptr<const Snapshot>> read_snapshot() override;
  std::vector<std::string> secrets(const std::string& snapshot_hash) override;

 private:
  std::filesystem::path lock_file() const { return config_.state_directory / "lock"; }
  std::filesystem::path journal_file() const { return config_.state_directory / "journal"; }

  const Config& config_;
};

}  // namespace slipway::deploy
