#pragma once

// A host in memory, with its own clock: engine, HAProxy and health behind deploy's interfaces; its
// journal and snapshots are files in a folder of its own.
// Killed is thrown at the failpoint that a test names, as SIGKILL would end the process there.

#include "deploy/docker/solo_switch.hpp"
#include "deploy/run/session.hpp"
#include "deploy/state/host_store.hpp"
#include "service/read_service.hpp"
#include "support/temporary_directory.hpp"

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace slipway::test {

using namespace slipway::deploy;

struct Killed {};

// How an image behaves when it runs.
enum class Manner { good, exits, never_ready, lies, probe_fails, dies_when_promoted };

struct FakeImage {
  Release release;
  Manner manner = Manner::good;
};

struct FakeContainer {
  Instance instance;
  Manner manner = Manner::good;
  std::string revision;
  std::string role = "standby";
  bool hangs = false;
  std::chrono::steady_clock::time_point silent_until{};
};

class FakeHost : public Engine, public Switch, public HealthSource, public Clock {
 public:
  FakeHost() {
    config.state_directory = directory.path();
    config.config_directory = directory.path() / "config";
    config.minimum_free_mb = 1;
    config.ports = {{8080, 0}};  // any: this machine's own ports are not looked at
    std::filesystem::create_directories(config.config_directory / "main");
    std::ofstream(config.config_directory / "main" / "main.json") << "{}\n";
    config.service_file = directory.path() / "slipway.yml";
    describe("roles: signals\nready: /health/ready\nprobe: [probe]\nconfig: { main: /etc/main }\n");
  }

  // The host's slipway.yml, for images that bring none.
  void describe(const std::string& yaml) const { std::ofstream(config.service_file) << yaml; }

  // An image that a registry has, v1 with releaseId rev-v1 and so on.
  Release publish(const std::string& tag, Manner manner = Manner::good) {
    Release release;
    release.repository = "registry.test/api";
    release.tag = tag;
    release.version = tag.substr(1);
    release.revision = "rev-" + tag;
    const std::string digits = tag.substr(1) + std::string(64 - (tag.size() - 1), 'a');
    release.digest = "sha256:" + digits;
    release.image_id = "sha256:" + std::string(64 - (tag.size() - 1), 'b') + tag.substr(1);
    registry[tag] = {release, manner};
    return release;
  }

  std::string reference(const std::string& tag) const { return "registry.test/api:" + tag; }

  bool in_place() const { return config.strategy == StrategyKind::recreate; }

  Ports ports() {
    Switch& traffic = in_place() ? static_cast<Switch&>(solo) : *this;
    Ports made{config, *this, traffic, store, *this, *this};
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
    Ports made = ports();
    return Session(made, options, "tester").run(stop);
  }

  // The version that users get, or "none": what HAProxy names must run, be active and ready.
  std::string served() {
    if (in_place()) return served_in_place();
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
      if (container.role != "active") found = "not active";
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
  Result<void> retain(const Release& release) override {
    if (!engine_up) return no_engine;
    retained_releases[release.digest] = release;
    return {};
  }
  Result<void> archive(const Release& release, std::stop_token) override {
    if (!archive_error.empty()) return Error{ErrorKind::io, archive_error, {}};
    archived.insert(release.tag);
    return {};
  }
  Result<std::vector<Release>> missing(const std::vector<Release>& releases) override {
    std::vector<Release> gone;
    for (const Release& release : releases) {
      if (!find_local(release)) gone.push_back(release);
    }
    return gone;
  }
  Result<void> release(const Release& unwanted) override {
    retained_releases.erase(unwanted.digest);
    return {};
  }
  Result<std::vector<Release>> retained() override {
    std::vector<Release> list;
    // The newest first, as an engine lists what it has.
    for (const auto& [digest, release] : retained_releases) list.insert(list.begin(), release);
    return list;
  }
  Result<std::vector<Room>> room() override {
    return std::vector<Room>{{"the disk", free_bytes, "buy a larger one"}};
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
    container.instance.ready = container.instance.running ? 1 : 0;
    containers[colour] = container;
    return {};
  }
  Result<void> create(Colour colour, const Release& release, const std::string& transaction,
                      std::stop_token stop_token) override {
    auto made = start(colour, release, transaction, stop_token);
    if (!made) return made;
    containers[colour].instance.running = false;
    return {};
  }
  Result<void> stop(Colour colour, std::chrono::nanoseconds) override {
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
  Result<void> set_role(Colour colour, Role role) override {
    if (!engine_up) return no_engine;
    const auto found = containers.find(colour);
    if (found == containers.end() || !found->second.instance.running) {
      return Error{ErrorKind::failed, "not running", {}};
    }
    ++signals;
    FakeContainer& container = found->second;
    container.role = to_string(role);
    if (role == Role::active && container.manner == Manner::dies_when_promoted) {
      container.instance.running = false;
    }
    return {};
  }
  Result<void> remove(Colour colour) override {
    if (!engine_up) return no_engine;
    containers.erase(colour);
    return {};
  }
  Result<std::vector<Endpoint>> endpoints(Colour, std::uint16_t) override {
    return Error{ErrorKind::unreachable, "it is in memory", {}};
  }
  Result<std::string> log_tail(Colour) override { return said; }
  Result<CommandOutput> execute(Colour colour, const std::vector<std::string>&,
                                std::chrono::nanoseconds) override {
    if (containers.at(colour).manner != Manner::probe_fails) return CommandOutput{};
    return CommandOutput{1, "", said};
  }

  // Switch
  SwitchWords words() const override { return {"HAProxy", "HAProxy's map", "HAProxy is silent"}; }
  Result<void> prepare() override { return {}; }
  Result<void> check_entrance(const Services&) override { return {}; }
  Result<void> check_routes(Colour, const service::Service& service) override {
    if (missing_port == 0 || (service.port != missing_port && service.tcp.empty())) return {};
    return Error{ErrorKind::failed, "HAProxy has no server", "make it anew"};
  }
  Result<void> check_current() override {
    if (unapplied.empty()) return {};
    return Error{ErrorKind::failed, unapplied, "make it anew"};
  }
  Result<std::optional<std::uint64_t>> sessions(Colour colour) override {
    ++session_looks;
    return std::optional<std::uint64_t>(colour == busy_colour ? sessions_left : 0);
  }
  Result<Totals> totals(Colour colour) override {
    if (!counters_readable) return Error{ErrorKind::timeout, "the counters were not told", {}};
    return counted[colour];
  }
  Result<void> bring_up(const Services&, std::stop_token) override {
    if (!engine_up) return no_engine;
    if (!proxy_up) map = file;
    proxy_up = true;
    // One that is gone is made for what is configured now.
    if (!proxy_stopped) {
      missing_port = 0;
      unapplied.clear();
    }
    return {};
  }
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
  Result<HealthAnswer> ask(Colour colour, const service::Service& service) override {
    const auto found = containers.find(colour);
    if (found == containers.end() || !found->second.instance.running) {
      return Error{ErrorKind::unreachable, "connection refused", {}};
    }
    const FakeContainer& container = found->second;
    if (container.hangs || time < container.silent_until)
      return Error{ErrorKind::timeout, "no answer within 1s", {}};
    HealthAnswer answer;
    answer.status = 200;
    answer.ready = container.manner != Manner::never_ready;
    if (!answer.ready) answer.ready_said = page_said;
    if (service.version_is_digest) return answer;  // an HTML page
    answer.well_formed = true;
    answer.health = "pass";
    answer.release_id = container.revision;
    if (!service.has_roles) return answer;
    answer.role = container.role;
    answer.ready = container.role != "drained" && container.manner != Manner::never_ready;
    return answer;
  }
  Result<std::vector<std::string>> metrics(Colour colour, const service::Service&) override {
    const auto found = metrics_of.find(colour);
    return std::vector<std::string>{found == metrics_of.end() ? std::string() : found->second};
  }

  // Clock
  std::chrono::steady_clock::time_point now() override { return time; }
  std::chrono::system_clock::time_point utc() override {
    return std::chrono::system_clock::time_point{};
  }
  void sleep_for(std::chrono::nanoseconds duration, std::stop_token) override {
    time += duration;
    meanwhile();
  }

  TemporaryDirectory directory;
  Config config;
  HostStore store{config};
  SoloSwitch solo{config, *this, store};
  std::map<std::string, FakeImage> registry;
  std::map<std::string, FakeImage> local;
  std::map<std::string, Release> retained_releases;
  std::set<std::string> archived;  // tags
  std::string archive_error;
  std::map<Colour, FakeContainer> containers;
  std::map<Colour, std::string> metrics_of;
  std::map<Colour, Totals> counted;  // by HAProxy
  bool counters_readable = true;
  std::optional<Colour> busy_colour;  // on which sessions_left stay
  std::uint64_t sessions_left = 0;
  int session_looks = 0;
  int signals = 0;
  std::string unapplied;           // what the switch was made with another of
  std::uint16_t missing_port = 0;  // that HAProxy does not carry
  std::optional<Colour> map;
  std::optional<Colour> file;
  bool proxy_up = false;
  bool proxy_stopped = false;  // and not gone, where it is not up
  bool engine_up = true;
  const Error no_engine{ErrorKind::unreachable, "no engine", "check that it runs"};
  bool registry_up = true;
  std::uint64_t free_bytes = std::uint64_t{1} << 30;
  bool flip_broken = false;
  bool map_garbled = false;
  std::string start_error;
  std::string page_said;              // by a readiness page that is not 200
  std::string said = "last words\n";  // of a container or a probe that fails
  int pulls = 0;
  int points = 0;
  int kill_at = -1;
  int fault_at = -1;  // the point at which `fault` happens
  std::function<void()> fault;
  std::function<void()> meanwhile = [] {};  // while it sleeps
  std::vector<std::string> passed;
  std::chrono::steady_clock::time_point time{};
};

}  // namespace slipway::test
