#include "deploy/kubernetes/cluster_engine.hpp"

#include "base/foreign_text.hpp"
#include "deploy/kubernetes/cluster_snapshot.hpp"
#include "deploy/kubernetes/pods.hpp"
#include "deploy/kubernetes/registry.hpp"
#include "deploy/kubernetes/rendering.hpp"
#include "deploy/model/plan_json.hpp"

#include <algorithm>
#include <future>
#include <thread>

#include <fmt/format.h>

namespace slipway::deploy {
namespace {

constexpr std::chrono::milliseconds between_looks{100};
// A kubectl takes some 50 MB.
constexpr std::size_t at_once = 8;

Error of_one_host() {
  return {ErrorKind::failed, "a cluster has room for both colours",
          "leave the strategy 'recreate' to hosts"};
}

}  // namespace

Result<std::vector<ClusterEngine::Snapshots>> ClusterEngine::snapshots() {
  const auto names = api_.names();
  if (!names) return names.error();
  auto list =
      api_.demand("list what versions run with", "GET",
                  fmt::format("{}?labelSelector={}%3D{},{}%3Dsnapshot", names->path("secrets"),
                              label_name, names->service, label_part));
  if (!list) return list.error();
  std::vector<Snapshots> all;
  for (const JsonValue& secret : list->at({"items"}).items()) {
    Snapshots one{secret.at({"metadata", "name"}).text(), {}};
    for (const auto& [name, value] : secret.at({"metadata", "annotations"}).members()) {
      if (!name.starts_with(mark("release-"))) continue;
      auto release = parse_release(value.text());
      if (release && is_well_formed(*release)) one.releases.push_back(std::move(*release));
    }
    all.push_back(std::move(one));
  }
  return all;
}

Result<std::vector<Release>> ClusterEngine::retained() {
  auto all = snapshots();
  if (!all) return all.error();
  std::vector<Release> releases;
  for (Snapshots& one : *all) {
    for (Release& release : one.releases) releases.push_back(std::move(release));
  }
  return releases;
}

// What is known of an image is known of a version that was retained; of another only its registry
// can tell.
Result<Release> ClusterEngine::find_local(const Release& wanted) {
  const Error not_here{ErrorKind::not_found, wanted.digest + " was never here", {}};
  if (wanted.snapshot.empty()) return not_here;
  auto known = retained();
  if (!known) return known.error();
  for (Release& release : *known) {
    if (release.digest == wanted.digest) {
      release.snapshot = wanted.snapshot;
      if (!wanted.tag.empty()) release.tag = wanted.tag;
      return Result<Release>(std::move(release));
    }
  }
  return not_here;
}

Result<Release> ClusterEngine::pull(const Reference& reference, std::stop_token stop) {
  return ask_registry(reference, config_.pull_deadline, std::move(stop));
}

Result<void> ClusterEngine::retain(const Release& release) {
  const auto names = api_.names();
  if (!names) return names.error();
  const Json patch{
      {"metadata", {{"annotations", {{release_mark(release), to_json_text(release)}}}}}};
  auto noted = api_.demand("note the version at what it runs with", "PATCH",
                           names->path("secrets", names->snapshot(release.snapshot)),
                           to_text(patch), merge_patch);
  if (!noted) return noted.error();
  return {};
}

Result<void> ClusterEngine::archive(const Release&, std::stop_token) {
  return of_one_host();
}

Result<std::vector<Release>> ClusterEngine::missing(const std::vector<Release>& releases) {
  const auto known = retained();
  if (!known) return known.error();
  std::vector<Release> gone;
  for (const Release& release : releases) {
    const bool is_there = std::any_of(known->begin(), known->end(),
                                      [&](const Release& one) { return one.same_as(release); });
    if (!is_there) gone.push_back(release);
  }
  return gone;
}

Result<void> ClusterEngine::release(const Release& unwanted) {
  const auto names = api_.names();
  if (!names) return names.error();
  const auto all = snapshots();
  if (!all) return all.error();
  const std::string name = names->snapshot(unwanted.snapshot);
  for (const Snapshots& one : *all) {
    if (one.name != name) continue;
    const bool is_shared =
        std::any_of(one.releases.begin(), one.releases.end(),
                    [&](const Release& that) { return that.digest != unwanted.digest; });
    const Json forget{{"metadata", {{"annotations", {{release_mark(unwanted), nullptr}}}}}};
    auto done = is_shared ? api_.demand("forget a version", "PATCH", names->path("secrets", name),
                                        to_text(forget), merge_patch)
                          : api_.demand("remove what a version ran with", "DELETE",
                                        names->path("secrets", name));
    if (!done && done.error().kind != ErrorKind::not_found) return done.error();
  }
  return {};
}

Result<JsonValue> ClusterEngine::pods_of(const Names& names, Colour colour) {
  return api_.demand(fmt::format("list the pods of {}", to_string(colour)), "GET",
                     names.path("pods") + "?" + names.selector(colour));
}

Result<Instance> ClusterEngine::inspect(Colour colour) {
  const auto names = api_.names();
  if (!names) return names.error();
  auto deployment = api_.call("GET", names->path("deployments", names->deployment(colour)));
  if (!deployment) return deployment.error();
  if (deployment->status == 404) return Instance{};
  if (!deployment->ok()) {
    return Error{
        ErrorKind::failed,
        fmt::format("cannot look at {}: {}", names->deployment(colour), deployment->message()),
        {}};
  }
  const auto pods = pods_of(*names, colour);
  if (!pods) return pods.error();
  Instance instance = read_instance(deployment->json, *pods);
  if (instance.ready < instance.desired && instance.reason.empty()) {
    const auto events = api_.demand("read the events", "GET",
                                    names->path("events") + "?fieldSelector=type%3DWarning");
    if (events) instance.reason = last_warning(*events, *pods);
  }
  return instance;
}

// A finalizer keeps a pod, or a ReplicaSet without its Deployment makes it again.
Error ClusterEngine::still_there(const Names& names, Colour colour,
                                 const std::vector<JsonValue>& pods) {
  std::vector<std::string> which;
  for (const JsonValue& pod : pods) {
    which.push_back(foreign_line(pod.at({"metadata", "name"}).text(), 80));
  }
  return {
      ErrorKind::timeout,
      fmt::format("the pods of {} do not go away: {}", names.deployment(colour),
                  fmt::join(which, ", ")),
      fmt::format("'kubectl -n {} get pod {} -o yaml' tells what keeps it (finalizers) or makes "
                  "it again (ownerReferences)",
                  names.space, which.front())};
}

// A pod on a node that is gone stays on its way out until somebody says that it is.
Result<void> ClusterEngine::await_gone(const Names& names, Colour colour,
                                       std::chrono::nanoseconds grace) {
  const auto force_at = std::chrono::steady_clock::now() + grace + std::chrono::seconds(10);
  const auto give_up = force_at + config_.step_deadline;
  bool forced = false;
  for (;;) {
    const auto pods = pods_of(names, colour);
    if (!pods) return pods.error();
    const auto left = pods->at({"items"}).items();
    if (left.empty()) return {};
    if (std::chrono::steady_clock::now() > give_up) return still_there(names, colour, left);
    if (!forced && std::chrono::steady_clock::now() > force_at) {
      forced = true;
      for (const JsonValue& pod : left) {
        (void)api_.call("DELETE", names.path("pods", pod.at({"metadata", "name"}).text()) +
                                      "?gracePeriodSeconds=0");
      }
    }
    std::this_thread::sleep_for(between_looks);
  }
}

Result<void> ClusterEngine::remove(Colour colour) {
  const auto names = api_.names();
  if (!names) return names.error();
  const std::string place = names->path("deployments", names->deployment(colour));
  auto there = api_.call("GET", place);
  if (!there) return there.error();
  const auto grace = std::chrono::seconds(
      there->json.at({"spec", "template", "spec", "terminationGracePeriodSeconds"}).integer());
  if (there->ok() && there->json.at({"metadata", "labels", label_manager}).text() != manager) {
    return Error{
        ErrorKind::failed,
        fmt::format("there is a Deployment {} that is not ours", names->deployment(colour)),
        "rename or remove it, or give this service another name"};
  }
  auto removed = api_.demand("remove " + names->deployment(colour), "DELETE",
                             place + "?propagationPolicy=Background");
  if (!removed && removed.error().kind != ErrorKind::not_found) return removed.error();
  return await_gone(*names, colour, grace);
}

Result<void> ClusterEngine::start(Colour colour, const Release& release,
                                  const std::string& transaction, std::stop_token stop) {
  const auto names = api_.names();
  if (!names) return names.error();
  const auto form = store_.deployment_of(release.snapshot);
  if (!form) return form.error();
  if (auto removed = remove(colour); !removed) return removed;
  const Json deployment = place(**form, *names, {colour, release, transaction});
  auto made = api_.demand("make " + names->deployment(colour), "POST", names->path("deployments"),
                          to_text(deployment), "application/json", std::move(stop));
  if (made) return {};
  if (made.error().kind != ErrorKind::busy) return made.error();
  // Ours, if only the answer was lost.
  const auto there = inspect(colour);
  if (there && there->transaction == transaction && there->digest == release.digest) return {};
  return made.error();
}

Result<void> ClusterEngine::create(Colour, const Release&, const std::string&, std::stop_token) {
  return of_one_host();
}

Result<void> ClusterEngine::stop(Colour, std::chrono::nanoseconds) {
  return of_one_host();
}

Result<void> ClusterEngine::start_again(Colour) {
  return of_one_host();
}

Result<void> ClusterEngine::set_role(Colour colour, Role role) {
  const auto there = inspect(colour);
  if (!there) return there.error();
  const auto service = store_.service_of(there->snapshot);
  if (!service) return service.error();
  std::vector<std::string> command = service->kubernetes.signal;
  if (command.empty()) {
    command = {"sh", "-c", role == Role::active ? "kill -USR2 1" : "kill -USR1 1"};
  } else {
    command.emplace_back(to_string(role));
  }
  const auto told = execute(colour, command, config_.step_deadline);
  if (!told) return told.error();
  if (told->exit_status == 0) return {};
  return Error{
      ErrorKind::failed,
      fmt::format("{} in the pod of {}: exit {}: {}", command.front(), to_string(colour),
                  told->exit_status, foreign_text(told->err, 400, store_.secrets(there->snapshot))),
      service->kubernetes.signal.empty()
          ? "name a command of the image in its slipway.yml: kubernetes.signal"
          : ""};
}

Result<std::vector<Endpoint>> ClusterEngine::endpoints(Colour colour, std::uint16_t port) {
  const auto names = api_.names();
  if (!names) return names.error();
  const auto pods = pods_of(*names, colour);
  if (!pods) return pods.error();
  const auto socket = api_.socket();
  if (!socket) return socket.error();
  std::vector<Endpoint> all;
  for (const std::string& pod : running_pods(*pods)) {
    all.push_back({*socket, "", 0, names->pod_proxy(pod, port)});
  }
  if (!all.empty()) return all;
  return Error{ErrorKind::not_found, fmt::format("no pod of {} runs yet", to_string(colour)), {}};
}

Result<std::string> ClusterEngine::log_tail(Colour colour) {
  const auto names = api_.names();
  if (!names) return names.error();
  const auto pods = pods_of(*names, colour);
  if (!pods) return pods.error();
  const auto living = living_pods(*pods);
  if (living.empty()) return std::string();
  const std::string pod = living.front().at({"metadata", "name"}).text();
  // Of the container that died, where one did.
  for (const char* which : {"--previous", "--previous=false"}) {
    auto log =
        api_.kubectl({"logs", pod, "--container", std::string(container_name), "--tail=10", which},
                     std::chrono::seconds(10));
    if (log && log->exit_status == 0 && !log->out.empty()) return std::move(log->out);
  }
  return std::string();
}

Result<CommandOutput> ClusterEngine::execute(Colour colour, const std::vector<std::string>& argv,
                                             std::chrono::nanoseconds deadline) {
  const auto names = api_.names();
  if (!names) return names.error();
  const auto pods = pods_of(*names, colour);
  if (!pods) return pods.error();
  const auto running = running_pods(*pods);
  Result<CommandOutput> all =
      Error{ErrorKind::not_found, fmt::format("no pod of {} runs", to_string(colour)), {}};
  const auto in_pod = [&](const std::string& pod) {
    std::vector<std::string> command{"exec", pod, "--container", std::string(container_name), "--"};
    command.insert(command.end(), argv.begin(), argv.end());
    return api_.kubectl(std::move(command), deadline);
  };
  for (std::size_t begin = 0; begin < running.size(); begin += at_once) {
    std::vector<std::future<Result<CommandOutput>>> asked;
    for (std::size_t i = begin; i < std::min(begin + at_once, running.size()); ++i) {
      asked.push_back(std::async(std::launch::async, in_pod, running[i]));
    }
    for (auto& one : asked) {
      all = one.get();
      if (!all || all->exit_status != 0) return all;  // the others end with their futures
    }
  }
  return all;
}

}  // namespace slipway::deploy
