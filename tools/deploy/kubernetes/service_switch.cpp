#include "deploy/kubernetes/service_switch.hpp"

#include "deploy/kubernetes/following.hpp"
#include "deploy/kubernetes/patch.hpp"
#include "deploy/kubernetes/pods.hpp"
#include "deploy/kubernetes/rendering.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

namespace slipway::deploy {
namespace {

constexpr std::chrono::milliseconds between_looks{50};

bool is_ours(const JsonValue& service) {
  return service.at({"metadata", "labels", label_manager}).text() == manager;
}

}  // namespace

SwitchWords ServiceSwitch::words() const {
  return {"the Service", "the Service's selector",
          "the Service is not there: look at 'kubectl get services'"};
}

Result<std::optional<JsonValue>> ServiceSwitch::read() {
  const auto names = api_.names();
  if (!names) return names.error();
  auto answer = api_.call("GET", names->path("services", names->service));
  if (!answer) return answer.error();
  if (answer->status == 404) return std::optional<JsonValue>{};
  if (answer->ok()) return std::optional(std::move(answer->json));
  return Error{ErrorKind::failed, "cannot look at the Service: " + answer->message(), {}};
}

Result<std::optional<Colour>> ServiceSwitch::active() {
  const auto service = read();
  if (!service) return service.error();
  if (!*service || !is_ours(**service)) return std::optional<Colour>{};
  return parse_colour((*service)->at({"spec", "selector", label_colour}).text());
}

bool ServiceSwitch::running() {
  const auto service = read();
  return service && *service && is_ours(**service);
}

Result<void> ServiceSwitch::check_entrance(const Services&) {
  const auto service = read();
  if (!service) return service.error();
  if (!*service || is_ours(**service)) return {};
  return Error{ErrorKind::busy,
               fmt::format("there is a Service {} that is not ours", config_.project),
               "rename or remove it, or give this service another name"};
}

Result<void> ServiceSwitch::bring_up(const Services& services, std::stop_token stop) {
  const auto names = api_.names();
  if (!names) return names.error();
  Json object = service_object(*names, services, {});
  Json budget = disruption_budget(*names);
  for (Json* one : {&object, &budget}) {
    if (auto changed = apply_patch(api_, config_.patch_file, *one); !changed) return changed;
  }
  auto kept =
      api_.demand("make the PodDisruptionBudget", "POST", names->path("poddisruptionbudgets"),
                  to_text(budget), "application/json", stop);
  if (!kept && kept.error().kind != ErrorKind::busy) return kept.error();
  auto made = api_.demand("make the Service", "POST", names->path("services"), to_text(object),
                          "application/json", stop);
  if (!made && made.error().kind != ErrorKind::busy) return made.error();
  return {};
}

Result<void> ServiceSwitch::check_routes(Colour, const service::Service& service) {
  const auto there = read();
  if (!there) return there.error();
  if (!*there) return {};
  for (const std::uint16_t port : all_ports(service)) {
    const auto ports = (*there)->at({"spec", "ports"}).items();
    const bool is_there = std::any_of(ports.begin(), ports.end(), [&](const JsonValue& one) {
      return one.at({"targetPort"}).integer() == port;
    });
    if (is_there) continue;
    return Error{ErrorKind::failed,
                 fmt::format("the Service {} has no port that leads to {}", config_.project, port),
                 fmt::format("add it: kubectl edit service {}", config_.project)};
  }
  return {};
}

// Connections go from a node to a pod, and no one counts them all.
Result<std::optional<std::uint64_t>> ServiceSwitch::sessions(Colour) {
  return std::optional<std::uint64_t>{};
}

Result<Totals> ServiceSwitch::totals(Colour) {
  return Error{ErrorKind::usage, "nothing in a cluster counts what a colour answered",
               "name the service's own counters in its slipway.yml: bake.good and bake.bad"};
}

Result<void> ServiceSwitch::flip(Colour colour) {
  const auto names = api_.names();
  if (!names) return names.error();
  const std::string selector(to_string(colour));
  // Others write to it, too: a cloud's load balancer notes its address.
  for (int attempt = 0; attempt < 5; ++attempt) {
    const auto before = read();
    if (!before) return before.error();
    if (!*before) return Error{ErrorKind::not_found, "the Service is not there", {}};
    const std::string version = (*before)->at({"metadata", "resourceVersion"}).text();
    const Json patch{
        {"metadata", {{"resourceVersion", version}}},
        {"spec", {{"selector", {{label_name, names->service}, {label_colour, selector}}}}}};
    auto flipped = api_.demand("flip the Service", "PATCH", names->path("services", names->service),
                               to_text(patch), merge_patch);
    if (flipped) break;
    if (flipped.error().kind != ErrorKind::busy) return flipped.error();
  }
  const auto after = active();
  if (!after) return after.error();
  if (*after != colour) {
    return Error{ErrorKind::failed, fmt::format("the Service does not lead to {}", selector), {}};
  }
  flipped_ = colour;
  flipped_at_ = std::chrono::steady_clock::now();
  return {};
}

Result<bool> ServiceSwitch::only_leads_to(const Names& names, Colour colour) {
  auto slices = api_.demand("look where the Service leads", "GET",
                            names.path("endpointslices") +
                                "?labelSelector=kubernetes.io%2Fservice-name%3D" + names.service);
  if (!slices) return slices.error();
  auto pods =
      api_.demand("list the pods", "GET", names.path("pods") + "?" + names.selector(colour));
  if (!pods) return pods.error();
  return lead_only_to(*pods, *slices);
}

Result<void> ServiceSwitch::await_flip(std::stop_token stop) {
  const auto names = api_.names();
  if (!names) return names.error();
  // One that was taken up midway is as old as this process knows.
  if (!flipped_) {
    const auto now = active();
    if (!now) return now.error();
    flipped_ = *now;
    flipped_at_ = std::chrono::steady_clock::now();
  }
  if (!flipped_) return {};
  const auto give_up = std::max(flipped_at_, api_.nodes_back()) + config_.step_deadline;
  Following following;
  for (;;) {
    const auto right = only_leads_to(*names, *flipped_);
    if (!right) return right.error();
    const auto now = std::chrono::steady_clock::now();
    following.note(*right, now);
    if (following.done(now, api_.nodes_back())) return {};
    if (stop.stop_requested()) return Error{ErrorKind::cancelled, "a stop was requested", {}};
    if (now > give_up) {
      return Error{ErrorKind::unreachable, "the cluster does not follow the Service's selector",
                   "look at 'kubectl get endpointslices'"};
    }
    std::this_thread::sleep_for(between_looks);
  }
}

}  // namespace slipway::deploy
