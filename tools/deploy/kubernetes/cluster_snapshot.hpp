#pragma once

// What an image runs with in a cluster: one immutable Secret with the service's description, the
// Deployment as it was rendered and patched, the variables and the files. The operators' own
// objects may change meanwhile; a rollback brings these back.

#include "deploy/kubernetes/cluster_api.hpp"
#include "deploy/kubernetes/rendering.hpp"
#include "deploy/ports/snapshot.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace slipway::deploy {

// The annotation of a snapshot that names a release which it belongs to.
std::string release_mark(const Release& release);

class ClusterSnapshot : public Snapshot {
 public:
  ClusterSnapshot(ClusterApi& api, Names names, Release release, const service::Service& service,
                  const Supplied& supplied, const Json& deployment);

  const std::string& hash() const override { return hash_; }
  Result<void> write() const override;

 private:
  ClusterApi& api_;
  Names names_;
  Release release_;
  std::map<std::string, std::string> data_;
  std::string hash_;
};

// One that was written.
struct StoredSnapshot {
  std::string service;              // slipway.yml
  Json deployment;                  // the template
  std::vector<std::string> secret;  // for foreign_text()
};

// Errors: not_found, corrupt, unreachable, failed.
Result<StoredSnapshot> read_stored(ClusterApi& api, const std::string& hash);

// The decoded data of a Secret or a ConfigMap.
std::map<std::string, std::string> decoded_data(const JsonValue& object);

}  // namespace slipway::deploy
