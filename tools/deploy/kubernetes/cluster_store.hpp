#pragma once

#include "deploy/kubernetes/cluster_api.hpp"
#include "deploy/kubernetes/cluster_snapshot.hpp"
#include "deploy/ports/store.hpp"

#include <map>
#include <string>

namespace slipway::deploy {

// Journal, lock and snapshots as objects beside the service, so that any machine that may ask the
// cluster takes an operation up.
class ClusterStore : public Store {
 public:
  ClusterStore(const Config& config, ClusterApi& api) : config_(config), api_(api) {}

  Result<void> prepare() override;
  Result<std::unique_ptr<Lock>> acquire_lock(const LockOwner& owner) override;
  Result<std::unique_ptr<Lock>> adopt_lock(const std::string& handle) override;
  std::optional<LockOwner> lock_holder() override;
  Result<std::optional<LockOwner>> end_lock_holder() override;
  Result<std::unique_ptr<Journal>> open_journal() override;
  Result<void> set_aside_journal() override;
  // Also that the account in use may do all that a deploy does.
  Result<void> check_configuration() override;
  // Also that the cluster takes the objects, by a dry run.
  Result<std::shared_ptr<const Snapshot>> read_snapshot(const Release& release) override;
  Result<service::Service> service_of(const std::string& snapshot_hash) override;
  std::vector<std::string> secrets(const std::string& snapshot_hash) override;

  // The Deployment's template of a snapshot. Errors: as read_stored().
  Result<const Json*> deployment_of(const std::string& snapshot_hash);

 private:
  Result<service::Service> described_by(const Release& release) const;
  Result<Supplied> read_supplied(const Names& names, const service::Service& service);
  Result<std::shared_ptr<const Json>> render(const Names& names, const service::Service& service,
                                             const Supplied& supplied);
  Result<void> try_out(const Names& names, const Json& deployment, const Release& release);
  Result<const StoredSnapshot*> stored(const std::string& snapshot_hash);

  const Config& config_;
  ClusterApi& api_;
  std::map<std::string, service::Service> services_;  // by snapshot
  std::map<std::string, StoredSnapshot> stored_;
};

}  // namespace slipway::deploy
