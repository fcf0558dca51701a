#include "deploy/kubernetes/pods.hpp"

#include "base/foreign_text.hpp"
#include "deploy/model/image_labels.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// Reasons of a waiting container that do not pass by themselves, or only when somebody changes
// something (kubelet, pkg/kubelet/images/types.go and kuberuntime). ErrImagePull is tried again.
constexpr std::array<std::string_view, 6> final_reasons{
    "ImagePullBackOff",  "InvalidImageName",     "ImageInspectError",
    "ErrImageNeverPull", "CreateContainerError", "CreateContainerConfigError"};

std::string words(std::string_view reason, const std::string& message) {
  return message.empty() ? std::string(reason)
                         : fmt::format("{}: {}", reason, foreign_text(message, 500));
}

JsonValue named(const JsonValue& list, std::string_view name) {
  for (const JsonValue& item : list.items()) {
    if (item.at({"name"}).text() == name) return item;
  }
  return {};
}

JsonValue container_status(const JsonValue& pod) {
  return named(pod.at({"status", "containerStatuses"}), container_name);
}

bool is_condition(const JsonValue& condition, std::string_view type, std::string_view status) {
  return condition.at({"type"}).text() == type && condition.at({"status"}).text() == status;
}

// Why a pod waits for a node; empty where it does not.
std::string unscheduled(const JsonValue& pod) {
  for (const JsonValue& condition : pod.at({"status", "conditions"}).items()) {
    if (is_condition(condition, "PodScheduled", "False")) {
      return words("no node takes it", condition.at({"message"}).text());
    }
  }
  return {};
}

// Why the cluster refuses to make pods at all: a quota, a webhook, a policy.
std::string refusal(const JsonValue& deployment) {
  for (const JsonValue& condition : deployment.at({"status", "conditions"}).items()) {
    if (is_condition(condition, "ReplicaFailure", "True")) {
      return words(condition.at({"reason"}).text(), condition.at({"message"}).text());
    }
  }
  return {};
}

// A runtime that hears of a want of memory after the container's end says only that it was killed
// (containerd takes the kernel's notices and ends by two ways); a liveness probe kills the same
// way.
std::string death(const JsonValue& terminated, const JsonValue& pod) {
  constexpr int killed = 128 + 9;
  const bool is_known = terminated.at({"reason"}).text() == "OOMKilled";
  const auto status = terminated.at({"exitCode"}).integer();
  if (!is_known && status != killed) return {};
  const JsonValue spec = named(pod.at({"spec", "containers"}), container_name);
  return fmt::format(
      "it was killed (status {}) because it needed more memory than its limit of {} "
      "(limits.memory of its slipway.yml){}",
      status, foreign_line(spec.at({"resources", "limits", "memory"}).text(), 40),
      is_known ? "" : ", or by its liveness probe");
}

std::string evicted(const JsonValue& list) {
  for (const JsonValue& pod : list.items()) {
    if (pod.at({"status", "phase"}).text() != "Failed") continue;
    return words(pod.at({"status", "reason"}).text(), pod.at({"status", "message"}).text());
  }
  return {};
}

// What keeps a pod's containers from running, those of a patch among them.
void add_waiting(Instance& instance, const JsonValue& statuses) {
  for (const JsonValue& status : statuses.items()) {
    const JsonValue waiting = status.at({"state", "waiting"});
    const std::string reason = waiting.at({"reason"}).text();
    const bool is_final =
        std::find(final_reasons.begin(), final_reasons.end(), reason) != final_reasons.end();
    if (is_final) instance.running = false;
    const bool tells =
        !reason.empty() && reason != "ContainerCreating" && reason != "PodInitializing";
    if (tells && instance.reason.empty()) {
      instance.reason = words(foreign_line(reason, 60), waiting.at({"message"}).text());
    }
  }
}

// What one pod adds to what is known of all.
void add_pod(Instance& instance, const JsonValue& pod) {
  const JsonValue status = container_status(pod);
  const JsonValue ended = status.at({"state", "terminated"}).is_object()
                              ? status.at({"state", "terminated"})
                              : status.at({"lastState", "terminated"});
  instance.restart_count += static_cast<int>(status.at({"restartCount"}).integer());
  if (ended.is_object()) {
    if (std::string end = end_of(ended.at({"finishedAt"}).text()); end >= instance.ended) {
      instance.exit_code = static_cast<int>(ended.at({"exitCode"}).integer());
      instance.ended = std::move(end);
    }
    if (const std::string why = death(ended, pod); !why.empty()) instance.reason = why;
  }
  if (status.at({"ready"}).is_true()) ++instance.ready;
  add_waiting(instance, pod.at({"status", "initContainerStatuses"}));
  add_waiting(instance, pod.at({"status", "containerStatuses"}));
  if (instance.reason.empty()) instance.reason = unscheduled(pod);
  // What runs is what counts, and not what was asked for: a webhook may have changed it.
  const std::string image =
      named(pod.at({"spec", "containers"}), container_name).at({"image"}).text();
  if (digest_of(image) != instance.digest) {
    instance.digest = digest_of(image);
    instance.reason = fmt::format("the cluster runs {} instead: a webhook of its changes images",
                                  foreign_line(image, 200));
  }
  if (const std::string run = digest_of(status.at({"imageID"}).text()); !run.empty()) {
    instance.image_id = run;
  }
}

}  // namespace

std::string digest_of(const std::string& image) {
  const std::size_t at = image.find("sha256:");
  const std::string digest = at == std::string::npos ? std::string() : image.substr(at);
  return is_digest(digest) ? digest : std::string();
}

std::vector<JsonValue> living_pods(const JsonValue& list) {
  std::vector<JsonValue> living;
  for (const JsonValue& pod : list.at({"items"}).items()) {
    const std::string phase = pod.at({"status", "phase"}).text();
    const bool leaves = pod.at({"metadata", "deletionTimestamp"}).is_string();
    if (!leaves && phase != "Failed" && phase != "Succeeded") living.push_back(pod);
  }
  return living;
}

std::vector<std::string> running_pods(const JsonValue& list) {
  std::vector<std::string> names;
  for (const JsonValue& pod : living_pods(list)) {
    if (container_status(pod).at({"state", "running"}).is_object()) {
      names.push_back(pod.at({"metadata", "name"}).text());
    }
  }
  return names;
}

Instance read_instance(const JsonValue& deployment, const JsonValue& pods) {
  Instance instance;
  if (!deployment.is_object()) return instance;
  const JsonValue annotations = deployment.at({"metadata", "annotations"});
  instance.exists = true;
  instance.transaction = checked(annotations.at({mark("transaction")}).text(), is_transaction);
  instance.digest = checked(annotations.at({mark("digest")}).text(), is_digest);
  instance.snapshot = checked(annotations.at({mark("snapshot")}).text(), is_snapshot);
  instance.desired = static_cast<int>(deployment.at({"spec", "replicas"}).integer());
  instance.running = instance.desired > 0;
  const std::string why_not = refusal(deployment);
  if (!why_not.empty()) {
    instance.running = false;
    instance.reason = why_not;
  }
  for (const JsonValue& pod : living_pods(pods)) add_pod(instance, pod);
  // Who counts these also writes the EndpointSlices, from one and the same knowledge of the pods.
  // After an absence of the API server it lags behind the kubelets by seconds; a flip to pods that
  // it does not know yet leads nowhere.
  const int known = static_cast<int>(deployment.at({"status", "readyReplicas"}).integer());
  if (known < instance.ready && instance.reason.empty()) {
    instance.reason = "the cluster's controllers do not know of them yet";
  }
  instance.ready = std::min(instance.ready, known);
  // What serves with fewer pods than it should have still serves: whoever took it for dead would
  // make it anew, and end those pods.
  if (instance.desired > 0 && instance.ready > 0) instance.running = true;
  if (instance.reason.empty() && instance.ready < instance.desired) {
    instance.reason = evicted(pods.at({"items"}));
  }
  return instance;
}

bool lead_only_to(const JsonValue& pods, const JsonValue& slices) {
  std::set<std::string> right;
  for (const JsonValue& pod : pods.at({"items"}).items()) {
    right.insert(pod.at({"metadata", "name"}).text());
  }
  bool lead_anywhere = right.empty();
  for (const JsonValue& slice : slices.at({"items"}).items()) {
    for (const JsonValue& endpoint : slice.at({"endpoints"}).items()) {
      if (!right.contains(endpoint.at({"targetRef", "name"}).text())) return false;
      lead_anywhere = true;
    }
  }
  return lead_anywhere;
}

std::string last_warning(const JsonValue& events, const JsonValue& pods) {
  std::vector<std::string> names;
  for (const JsonValue& pod : living_pods(pods))
    names.push_back(pod.at({"metadata", "name"}).text());
  std::string warning;
  std::string when;
  for (const JsonValue& event : events.at({"items"}).items()) {
    const std::string about = event.at({"involvedObject", "name"}).text();
    const std::string at = event.at({"lastTimestamp"}).text();
    if (std::find(names.begin(), names.end(), about) == names.end() || at < when) continue;
    when = at;
    warning = words(foreign_line(event.at({"reason"}).text(), 60), event.at({"message"}).text());
  }
  return warning;
}

}  // namespace slipway::deploy
