#pragma once

#include "base/error.hpp"
#include "deploy/model/release.hpp"
#include "deploy/ports/journal.hpp"
#include "deploy/ports/lock.hpp"
#include "deploy/ports/snapshot.hpp"
#include "service/service.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace slipway::deploy {

// What must outlive an operation, where the platform keeps it: files, or objects of a cluster.
class Store {
 public:
  virtual ~Store() = default;

  // Makes what is missing. Idempotent. Errors: io.
  virtual Result<void> prepare() = 0;

  // At once or not at all, but that one which seems to have run out may be watched for some seconds
  // before it is taken over. Errors: busy (the message names the holder), io, unreachable.
  virtual Result<std::unique_ptr<Lock>> acquire_lock(const LockOwner& owner) = 0;
  // Takes over the lock of the process that started this one, by Lock::handle(). Errors: busy (it
  // was lost meanwhile), unreachable.
  virtual Result<std::unique_ptr<Lock>> adopt_lock(const std::string& handle) = 0;
  // The holder while somebody holds the lock, else nothing.
  virtual std::optional<LockOwner> lock_holder() = 0;
  // Ends whoever holds the lock, and says who that was. Errors: busy (it is not one of ours).
  virtual Result<std::optional<LockOwner>> end_lock_holder() = 0;

  // One that does not exist is empty; reading changes nothing. Errors: corrupt, io, unreachable.
  virtual Result<std::unique_ptr<Journal>> open_journal() = 0;
  // Keeps a damaged journal for people, so that a new one can be begun; none there is success.
  virtual Result<void> set_aside_journal() = 0;

  // That what the configuration names can be read, whatever the image. Errors: usage, io.
  virtual Result<void> check_configuration() = 0;
  // What the release would run with if it were started now; its service is known from then on.
  // Errors: usage (the image's description, or what it and the configuration name, is not there or
  // cannot be used), io.
  virtual Result<std::shared_ptr<const Snapshot>> read_snapshot(const Release& release) = 0;
  // The service as a snapshot describes it, or, where that has no description, as this host does.
  // Errors: corrupt, usage, io.
  virtual Result<service::Service> service_of(const std::string& snapshot_hash) = 0;
  // What an instance with this snapshot was told in confidence: for foreign_text().
  virtual std::vector<std::string> secrets(const std::string& snapshot_hash) = 0;
};

}  // namespace slipway::deploy
