#pragma once

// A second platform, in memory: deployments of several pods, a service whose selector is the
// switch, the journal in an object, a lease. It includes nothing of Docker's, of HAProxy's or of a
// host's files: what drives it is what every platform is driven by.

#include "deploy/run/session.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace slipway::test {

using namespace slipway::deploy;

// Thrown where a test ends the process.
struct PowerCut {};

// What outlives a process: the objects as the API server has them.
struct Objects {
  struct Deployment {
    Release release;
    std::string transaction;
    std::string role = "standby";
    std::chrono::steady_clock::time_point began;
  };

  std::map<Colour, Deployment> deployments;
  std::string selector;              // "blue", "green" or none
  std::string journal;               // lines, as encode() writes them
  std::set<std::string> rendered;    // hashes of what was applied
  std::set<std::string> unpullable;  // tags of images that the nodes cannot have
};

class ObjectJournal : public Journal {
 public:
  ObjectJournal(Objects& objects, std::vector<Record> records)
      : objects_(objects), records_(std::move(records)) {}
  const std::vector<Record>& records() const override { return records_; }
  Result<void> append(std::string transaction, std::string time, Entry entry) override {
    records_.push_back(
        {records_.size() + 1, std::move(transaction), std::move(time), std::move(entry)});
    objects_.journal += encode(records_.back());
    return {};
  }

 private:
  Objects& objects_;
  std::vector<Record> records_;
};

class RenderedObjects : public Snapshot {
 public:
  explicit RenderedObjects(Objects& objects) : objects_(objects) {}
  const std::string& hash() const override { return hash_; }
  Result<void> write() const override {
    objects_.rendered.insert(hash_);
    return {};
  }

 private:
  Objects& objects_;
  std::string hash_ = std::string(64, '5');
};

class FakeCluster : public Engine, public Switch, public Store, public HealthSource, public Clock {
 public:
  static constexpr int replicas = 3;
  static constexpr std::chrono::seconds a_pod{1};  // until the next of them is ready

  explicit FakeCluster(Objects& objects) : objects_(objects) {
    config.repository = "registry.test/api";
    config.minimum_free_mb = 1;
  }

  Report run(Action action, const std::string& target = "") {
    points_ = 0;
    Options options;
    options.action = action;
    options.target = action == Action::deploy ? reference(target) : target;
    Ports ports{config, *this, *this, *this, *this, *this};
    ports.failpoint = [this](const std::string&) {
      if (++points_ == cut_at) throw PowerCut{};
    };
    return Session(ports, options, "tester").run({});
  }

  Report dry_run(const std::string& target) {
    Options options;
    options.action = Action::deploy;
    options.target = reference(target);
    options.dry_run = true;
    Ports ports{config, *this, *this, *this, *this, *this};
    return Session(ports, options, "tester").dry_run();
  }

  std::string served() {
    const auto colour = parse_colour(objects_.selector);
    const auto found = colour ? objects_.deployments.find(*colour) : objects_.deployments.end();
    if (found == objects_.deployments.end() || inspect(*colour)->ready < replicas) return "none";
    return found->second.role == "active" ? found->second.release.tag : "not active";
  }

  // Engine
  Result<Release> find_local(const Release&) override {
    return Error{ErrorKind::not_found, "nodes bring images themselves", {}};
  }
  Result<Release> pull(const Reference& reference, std::stop_token) override {
    Release release;
    release.repository = reference.repository;
    release.tag = reference.tag;
    release.version = reference.tag.substr(1);
    release.revision = "rev-" + reference.tag;
    release.digest = "sha256:" + release.version + std::string(64 - release.version.size(), 'a');
    return release;
  }
  bool pull_only_asks() const override { return true; }
  Result<void> retain(const Release&) override { return {}; }
  Result<void> archive(const Release&, std::stop_token) override { return {}; }
  Result<std::vector<Release>> missing(const std::vector<Release>&) override {
    return std::vector<Release>{};
  }
  Result<void> release(const Release&) override { return {}; }
  Result<std::vector<Release>> retained() override { return std::vector<Release>{}; }
  Result<std::vector<Room>> room() override { return std::vector<Room>{}; }
  Result<Instance> inspect(Colour colour) override {
    Instance instance;
    const auto found = objects_.deployments.find(colour);
    if (found == objects_.deployments.end()) return instance;
    const Objects::Deployment& deployment = found->second;
    const auto age = now() - deployment.began;
    const bool unpullable = objects_.unpullable.contains(deployment.release.tag);
    instance.exists = true;
    instance.desired = replicas;
    instance.ready = unpullable ? 0 : static_cast<int>(std::min<long>(replicas, age / a_pod));
    instance.running = !unpullable || age < 2 * a_pod;
    if (instance.ready < replicas) instance.reason = unpullable ? "ErrImagePull" : "Pending";
    instance.transaction = deployment.transaction;
    instance.digest = deployment.release.digest;
    instance.snapshot = deployment.release.snapshot;
    return instance;
  }
  Result<void> start(Colour colour, const Release& release, const std::string& transaction,
                     std::stop_token) override {
    if (!objects_.rendered.contains(release.snapshot)) {
      return Error{ErrorKind::failed, "nothing was rendered for it", {}};
    }
    objects_.deployments[colour] = {release, transaction, "standby", now()};
    return {};
  }
  Result<void> create(Colour, const Release&, const std::string&, std::stop_token) override {
    return Error{ErrorKind::failed, "only beside each other", {}};
  }
  Result<void> stop(Colour, std::chrono::nanoseconds) override { return {}; }
  Result<void> start_again(Colour) override {
    return Error{ErrorKind::failed, "pods are made anew", {}};
  }
  Result<void> set_role(Colour colour, Role role) override {
    objects_.deployments.at(colour).role = to_string(role);
    return {};
  }
  Result<void> remove(Colour colour) override {
    objects_.deployments.erase(colour);
    return {};
  }
  Result<std::vector<Endpoint>> endpoints(Colour, std::uint16_t) override {
    return Error{ErrorKind::unreachable, "it is in memory", {}};
  }
  Result<std::string> log_tail(Colour) override { return std::string(); }
  Result<CommandOutput> execute(Colour, const std::vector<std::string>&,
                                std::chrono::nanoseconds) override {
    return CommandOutput{};
  }

  // Switch
  SwitchWords words() const override {
    return {"the Service", "the Service's selector", "the API server does not answer"};
  }
  Result<void> prepare() override { return {}; }
  Result<std::optional<Colour>> active() override { return parse_colour(objects_.selector); }
  bool running() override { return true; }
  Result<void> check_entrance(const Services&) override { return {}; }
  Result<void> bring_up(const Services&, std::stop_token) override { return {}; }
  Result<void> check_routes(Colour, const service::Service&) override { return {}; }
  Result<std::optional<std::uint64_t>> sessions(Colour) override {
    return std::optional<std::uint64_t>();
  }
  Result<Totals> totals(Colour) override { return Totals{}; }
  Result<void> flip(Colour colour) override {
    objects_.selector = to_string(colour);
    return {};
  }
  Result<void> agree() override { return {}; }

  // Store
  Result<std::unique_ptr<Lock>> acquire_lock(const LockOwner&) override {
    return Error{ErrorKind::busy, "not asked for here", {}};
  }
  Result<std::unique_ptr<Lock>> adopt_lock(const std::string&) override {
    return Error{ErrorKind::busy, "not asked for here", {}};
  }
  std::optional<LockOwner> lock_holder() override { return std::nullopt; }
  Result<std::optional<LockOwner>> end_lock_holder() override { return std::optional<LockOwner>{}; }
  Result<std::unique_ptr<Journal>> open_journal() override {
    auto decoded = decode(objects_.journal);
    if (!decoded) return decoded.error();
    return std::unique_ptr<Journal>(
        std::make_unique<ObjectJournal>(objects_, std::move(decoded->records)));
  }
  Result<void> set_aside_journal() override { return {}; }
  Result<void> check_configuration() override { return {}; }
  Result<service::Service> service_of(const std::string&) override {
    service::Service service;
    service.has_roles = true;
    return service;
  }
  Result<std::shared_ptr<const Snapshot>> read_snapshot(const Release&) override {
    if (!refuses.empty()) return Error{ErrorKind::usage, refuses, {}};
    return std::shared_ptr<const Snapshot>(std::make_shared<RenderedObjects>(objects_));
  }
  std::vector<std::string> secrets(const std::string&) override { return {}; }

  // HealthSource
  Result<HealthAnswer> ask(Colour colour, const service::Service&) override {
    if (inspect(colour)->ready == 0) return Error{ErrorKind::unreachable, "no pod is ready", {}};
    const Objects::Deployment& deployment = objects_.deployments.at(colour);
    return HealthAnswer{200,
                        true,
                        "pass",
                        deployment.release.revision,
                        deployment.release.version,
                        deployment.role,
                        deployment.role != "drained"};
  }
  Result<std::vector<std::string>> metrics(Colour, const service::Service&) override {
    return std::vector<std::string>{""};
  }

  // Clock
  std::chrono::steady_clock::time_point now() override { return time; }
  std::chrono::system_clock::time_point utc() override { return {}; }
  void sleep_for(std::chrono::nanoseconds duration, std::stop_token) override { time += duration; }

  Config config;
  std::string refuses;  // why no version can be rendered
  int cut_at = -1;      // the failpoint, by number, at which the process ends
  std::chrono::steady_clock::time_point time{};

 private:
  std::string reference(const std::string& tag) const { return config.repository + ":" + tag; }

  Objects& objects_;
  int points_ = 0;
};

}  // namespace slipway::test
