#pragma once

// The lock of a service in a cluster: a Lease (coordination.k8s.io/v1), renewed as long as its
// holder lives. Another machine takes it over when it was not renewed for its duration; one that
// was only slow finds out at its next journal record, which is refused.

#include "deploy/kubernetes/cluster_api.hpp"
#include "deploy/ports/lock.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace slipway::deploy {

inline constexpr std::chrono::seconds lease_duration{15};
inline constexpr std::chrono::seconds lease_renewal{4};

// A Lease as it was read.
struct LeaseState {
  std::string holder;  // a process, by machine_process(); empty: nobody
  std::optional<std::chrono::system_clock::time_point> renewed;
  std::chrono::seconds duration{0};
  std::string version;  // resourceVersion
  LockOwner owner;
};

LeaseState read_lease(const JsonValue& lease);

// Whether somebody holds it at `now`. `is_dead`: what is known of the holder on this machine.
bool is_held(const LeaseState& lease, std::chrono::system_clock::time_point now, bool is_dead);

// The Lease of `holder`, as JSON; `version` empty: there was none.
std::string write_lease(const std::string& name, const std::string& holder, const LockOwner& owner,
                        std::chrono::system_clock::time_point now, const std::string& version);

// "HOST/BOOT/PID/START": one process of all machines, for ever. Nothing where there is none.
std::optional<std::string> machine_process(pid_t pid);
// Whether the process ran on this machine and does not any more.
bool is_dead_here(const std::string& process);
// Its process ID where it lives on this machine, else 0.
pid_t pid_here(const std::string& process);

class Lease : public Lock {
 public:
  // Errors: busy, unreachable, usage, failed.
  static Result<std::unique_ptr<Lock>> acquire(ClusterApi& api, const LockOwner& owner);
  // Of the process that started this one.
  static Result<std::unique_ptr<Lock>> adopt(ClusterApi& api, const std::string& holder);
  static std::optional<LockOwner> holder(ClusterApi& api);
  // Kills it where it runs on this machine; takes the lease from it in any case.
  static Result<std::optional<LockOwner>> end_holder(ClusterApi& api);

  ~Lease() override;
  void note_step(const std::string& step) override;
  void note_owner(const LockOwner& owner) override;
  // From then on this object does not free it.
  std::string handle() const override;
  void keep_across_exec() const override {}

 private:
  struct Renewal;
  explicit Lease(std::unique_ptr<Renewal> renewal);
  std::unique_ptr<Renewal> renewal_;
};

}  // namespace slipway::deploy
