#pragma once

#include "deploy/ports/store.hpp"
#include "deploy/state/config.hpp"

#include <map>

namespace slipway::deploy {

// Files below the host's stateDir: `lock`, `journal`, `snapshots/HASH`.
class HostStore : public Store {
 public:
  explicit HostStore(const Config& config) : config_(config) {}

  Result<void> prepare() override;
  Result<std::unique_ptr<Lock>> acquire_lock(const LockOwner& owner) override;
  Result<std::unique_ptr<Lock>> adopt_lock(const std::string& handle) override;
  std::optional<LockOwner> lock_holder() override;
  Result<std::optional<LockOwner>> end_lock_holder() override;
  Result<std::unique_ptr<Journal>> open_journal() override;
  Result<void> set_aside_journal() override;
  Result<void> check_configuration() override;
  Result<std::shared_ptr<const Snapshot>> read_snapshot(const Release& release) override;
  Result<service::Service> service_of(const std::string& snapshot_hash) override;
  std::vector<std::string> secrets(const std::string& snapshot_hash) override;

 private:
  std::filesystem::path lock_file() const { return config_.state_directory / "lock"; }
  std::filesystem::path journal_file() const { return config_.state_directory / "journal"; }

  Result<service::Service> service_of_host() const;
  Result<service::Service> described_by(const Release& release) const;

  const Config& config_;
  std::map<std::string, service::Service> services_;  // by snapshot
};

}  // namespace slipway::deploy
