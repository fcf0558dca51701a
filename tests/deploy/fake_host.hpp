#pragma once

// A host in memory, with its own clock: engine, HAProxy and health behind deploy's interfaces.
// Killed is thrown at the failpoint that a test names, as SIGKILL would end the process there.

#include "deploy/docker/solo_switch.hpp"
#include "deploy/run/operation.hpp"
#include "deploy/run/session.hpp"
#include "support/temporary_directory.hpp"

#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace slipway::test {

using namespace slipway::deploy;

struct Killed {};

// How an image behaves when it runs.
enum class Manner { good, exits, never_ready, lies, packet_fails, dies_when_promoted };

struct FakeImage {
  Release release;
  Manner manner = Manner::good;
};

struct FakeContainer {
  Instance instance;
  Manner manner = Manner::good;
  std::string revision;
  std::string role = "standby";
};

class FakeHost : public Engine, public Proxy, public HealthSource, public Clock {
 public:
  FakeHost() {
    config.state_directory = directory.path();
    config.compose_file = directory.path() / "compose.yml";
    config.config_directory = directory.path() / "config";
    config.minimum_free_mb = 1;
    config.packet_command = {"connector", "probe"};
    std::filesystem::create_directory(config.config_directory);
    std::ofstream(config.compose_file) << "services: {}\n";
    std::ofstream(config.config_directory / "connector.json") << "{}\n";
  }

  // An image that a registry has, v1 with releaseId rev-v1 and so on.
  Release publish(const std::string& tag, Manner manner = Manner::good) {
    Release release;
    release.repository = "registry.test/connector";
    release.tag = tag;
    release.version = tag.substr(1);
    release.revision = "rev-" + tag;
    const std::string digits = tag.substr(1) + std::string(64 - (tag.size() - 1), 'a');
    release.digest = "sha256:" + digits;
    release.image_id = "sha256:" + std::string(64 - (tag.size() - 1), 'b') + tag.substr(1);
    registry[tag] = {release, manner};
    return release;
  }

  std::string reference(const std::string& tag) const { return "registry.test/connector:" + tag; }

  World world() {
    Proxy* proxy = this;
    if (config.recreate) proxy = &solo;
    World made{config, *this, *proxy, *this, *this};
    made.failpoint = [this](const std::string& point) { pass(point); };
    return made;
  }

  void pass(const std::string& point) {
    ++points;
    passed.push_back(point);
    if (points == fault_at) fault();
    if (points == kill_at) throw Killed{};
  }

  Report run(Action action, const std::string& target = "", std::stop_token stop = {}) {
    points = 0;
    passed.clear();
    Options options;
    options.action = action;
    options.target = action == Action::deploy ? reference(target) : target;
    World made = world();
    return Session(made, options, "tester").run(stop);
  }

  // The version that users get, or "none": what HAProxy names must run, be active and ready.
  std::string served() {
    if (config.recreate) return served_in_place();
    if (!map) return "none";
    const auto found = containers.find(*map);
    if (found == containers.end() || !found->second.instance.running) return "dead";
    return found->second.role == "active" ? found->second.revision : "not active";
  }

  // With `recreate`: of the one container that runs.
  std::string served_in_place() {
    std::string found = "none";
    for (const auto& [colour, container] : containers) {
      if (!container.instance.running) continue;
      if (found != "none") return "two run";
      found = container.manner == Manner::good ? container.revision : "a bad one";
    }
    return found;
  }

  // Engine
  Result<Release> find_local(const Release& wanted) override {
    for (const auto& [tag, image] : local) {
      if (image.release.digest != wanted.digest) continue;
      Release found = image.release;
      found.tag = wanted.tag;
      found.snapshot = wanted.snapshot;
      return found;
    }
    return Error{ErrorKind::not_found, "no such image", {}};
  }
  Result<Release> pull(const Reference& reference, std::stop_token) override {
    ++pulls;
    if (!registry_up) return Error{ErrorKind::unreachable, "the registry does not answer", {}};
    for (const auto& [tag, image] : registry) {
      if (tag != reference.tag && image.release.digest != reference.digest) continue;
      local[tag] = image;
      return image.release;
    }
    return Error{ErrorKind::not_found, "manifest unknown", {}};
  }
  Result<void> hold(const Release& release) override {
    if (!engine_up) return no_engine;
    held_releases[release.digest] = release;
    return {};
  }
  Result<void> let_go(const Release& release) override {
    held_releases.erase(release.digest);
    return {};
  }
  Result<std::vector<Release>> held() override {
    std::vector<Release> list;
    for (const auto& [digest, release] : held_releases) list.push_back(release);
    return list;
  }
  Result<std::string> storage_directory() override { return directory.path().string(); }
  Result<void> start_proxy(std::stop_token) override {
    if (!engine_up) return no_engine;
    if (!proxy_up) map = file;
    proxy_up = true;
    return {};
  }
  Result<Instance> inspect(Colour colour) override {
    if (!engine_up) return no_engine;
    const auto found = containers.find(colour);
    return found == containers.end() ? Instance{} : found->second.instance;
  }
  Result<void> start(Colour colour, const Release& release, const std::string& transaction,
                     std::stop_token) override {
    if (!engine_up) return no_engine;
    if (!start_error.empty()) return Error{ErrorKind::failed, start_error, {}};
    FakeContainer container;
    for (const auto& [tag, image] : local) {
      if (image.release.digest == release.digest) {
        container.manner = image.manner;
        container.revision = image.manner == Manner::lies ? "rev-other" : image.release.revision;
      }
    }
    container.instance.exists = true;
    container.instance.running = container.manner != Manner::exits;
    container.instance.exit_code = container.manner == Manner::exits ? 42 : 0;
    container.instance.digest = release.digest;
    container.instance.snapshot = release.snapshot;
    container.instance.transaction = transaction;
    container.instance.image_id = release.image_id;
    if (config.recreate) {
      container.instance.running = false;
      container.role = "active";
    }
    containers[colour] = container;
    return {};
  }
  Result<void> stop(Colour colour) override {
    pass("stop:before");
    containers.at(colour).instance.running = false;
    pass("stop:after");
    return {};
  }
  Result<void> start_again(Colour colour) override {
    pass("start_again:before");
    FakeContainer& container = containers.at(colour);
    container.instance.running = container.manner != Manner::exits;
    pass("start_again:after");
    return {};
  }
  Result<void> send_signal(Colour colour, int number) override {
    if (!engine_up) return no_engine;
    const auto found = containers.find(colour);
    if (found == containers.end() || !found->second.instance.running) {
      return Error{ErrorKind::failed, "not running", {}};
    }
    FakeContainer& container = found->second;
    if (number == SIGUSR1) container.role = "drained";
    if (number == SIGUSR2) container.role = "active";
    if (number == SIGUSR2 && container.manner == Manner::dies_when_promoted) {
      container.instance.running = false;
    }
    return {};
  }
  Result<void> remove(Colour colour) override {
    if (!engine_up) return no_engine;
    containers.erase(colour);
    return {};
  }
  Result<std::string> log_tail(Colour) override { return words; }
  Result<CommandOutput> execute(Colour colour, const std::vector<std::string>&,
                                std::chrono::nanoseconds) override {
    if (containers.at(colour).manner != Manner::packet_fails) return CommandOutput{};
    return CommandOutput{1, "", words};
  }

  // Proxy
  Result<std::optional<Colour>> active() override {
    if (map_garbled) return Error{ErrorKind::corrupt, "the map names 'purple'", {}};
    return proxy_up ? map : file;
  }
  bool running() override { return proxy_up; }
  Result<void> flip(Colour colour) override {
    file = colour;
    if (flip_broken) return Error{ErrorKind::failed, "HAProxy kept its map", {}};
    if (!proxy_up) return Error{ErrorKind::unreachable, "no HAProxy", {}};
    map = colour;
    return {};
  }
  Result<void> agree() override {
    if (proxy_up) file = map;
    return {};
  }

  // HealthSource
  Result<HealthAnswer> ask(Colour colour, std::chrono::nanoseconds) override {
    const auto found = containers.find(colour);
    if (found == containers.end() || !found->second.instance.running) {
      return Error{ErrorKind::unreachable, "connection refused", {}};
    }
    const FakeContainer& container = found->second;
    HealthAnswer answer;
    answer.status = 200;
    answer.well_formed = true;
    answer.health = "pass";
    answer.release_id = container.revision;
    answer.role = container.role;
    answer.ready = container.role != "drained" && container.manner != Manner::never_ready;
    return answer;
  }
  Result<std::string> metrics(Colour colour, std::chrono::nanoseconds) override {
    const auto found = metrics_of.find(colour);
    return found == metrics_of.end() ? std::string() : found->second;
  }

  // Clock
  std::chrono::steady_clock::time_point now() override { return time; }
  std::chrono::system_clock::time_point utc() override {
    return std::chrono::system_clock::time_point{};
  }
  void sleep_for(std::chrono::nanoseconds duration, std::stop_token) override { time += duration; }

  TemporaryDirectory directory;
  Config config;
  SoloSwitch solo{config, *this};
  std::map<std::string, FakeImage> registry;
  std::map<std::string, FakeImage> local;
  std::map<std::string, Release> held_releases;
  std::map<Colour, FakeContainer> containers;
  std::map<Colour, std::string> metrics_of;
  std::optional<Colour> map;
  std::optional<Colour> file;
  bool proxy_up = false;
  bool engine_up = true;
  const Error no_engine{ErrorKind::unreachable, "no engine", "check that it runs"};
  bool registry_up = true;
  bool flip_broken = false;
  bool map_garbled = false;
  std::string start_error;
  std::string words = "last words\n";  // of a container or a probe that fails
  int pulls = 0;
  int points = 0;
  int kill_at = -1;
  int fault_at = -1;  // the point at which `fault` happens
  std::function<void()> fault;
  std::vector<std::string> passed;
  std::chrono::steady_clock::time_point time{};
};

}  // namespace slipway::test
