#pragma once

#include "deploy/kubernetes/cluster_api.hpp"
#include "deploy/kubernetes/cluster_store.hpp"
#include "deploy/ports/engine.hpp"

#include <string>
#include <vector>

namespace slipway::deploy {

// Two Deployments, one a colour.
class ClusterEngine : public Engine {
 public:
  ClusterEngine(const Config& config, ClusterApi& api, ClusterStore& store)
      : config_(config), api_(api), store_(store) {}

  Result<Release> find_local(const Release& release) override;
  Result<Release> pull(const Reference& reference, std::stop_token stop) override;
  bool pull_only_asks() const override { return true; }
  // Nodes keep images as they see fit: only a warm pod holds one. What is retained here is what a
  // version runs with.
  Result<void> retain(const Release& release) override;
  Result<void> archive(const Release& release, std::stop_token stop) override;
  Result<std::vector<Release>> missing(const std::vector<Release>& releases) override;
  Result<void> release(const Release& unwanted) override;
  Result<std::vector<Release>> retained() override;
  bool retained_as_one(const Release& a, const Release& b) const override { return a.same_as(b); }
  // A cluster says no to what it has no room for.
  Result<std::vector<Room>> room() override { return std::vector<Room>{}; }

  Result<Instance> inspect(Colour colour) override;
  Result<void> start(Colour colour, const Release& release, const std::string& transaction,
                     std::stop_token stop) override;
  Result<void> create(Colour colour, const Release& release, const std::string& transaction,
                      std::stop_token stop) override;
  Result<void> stop(Colour colour, std::chrono::nanoseconds grace) override;
  Result<void> start_again(Colour colour) override;
  Result<void> set_role(Colour colour, Role role) override;
  Result<void> remove(Colour colour) override;

  Result<std::vector<Endpoint>> endpoints(Colour colour, std::uint16_t port) override;
  Result<std::string> log_tail(Colour colour) override;
  Result<CommandOutput> execute(Colour colour, const std::vector<std::string>& argv,
                                std::chrono::nanoseconds deadline) override;

 private:
  struct Snapshots {
    std::string name;
    std::vector<Release> releases;  // that were retained with it
  };
  Result<std::vector<Snapshots>> snapshots();
  Result<JsonValue> pods_of(const Names& names, Colour colour);
  Result<void> await_gone(const Names& names, Colour colour, std::chrono::nanoseconds grace);
  static Error still_there(const Names& names, Colour colour, const std::vector<JsonValue>& pods);

  const Config& config_;
  ClusterApi& api_;
  ClusterStore& store_;
};

}  // namespace slipway::deploy
