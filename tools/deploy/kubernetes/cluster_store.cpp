#include "deploy/kubernetes/cluster_store.hpp"

#include "base/durable_file.hpp"
#include "base/foreign_text.hpp"
#include "deploy/kubernetes/access.hpp"
#include "deploy/kubernetes/lease.hpp"
#include "deploy/kubernetes/object_journal.hpp"
#include "deploy/kubernetes/patch.hpp"
#include "deploy/kubernetes/pods.hpp"
#include "service/read_service.hpp"

#include <fmt/format.h>

namespace slipway::deploy {
namespace {

// The oldest release whose API has all that is asked of it here.
constexpr int oldest_minor = 25;

Result<void> check_version(ClusterApi& api) {
  auto version = api.demand("ask the cluster for its version", "GET", "/version");
  if (!version) return version.error();
  // "29+" of some clouds.
  const int major = std::atoi(version->at({"major"}).text().c_str());
  const int minor = std::atoi(version->at({"minor"}).text().c_str());
  if (major > 1 || (major == 1 && minor >= oldest_minor)) return {};
  return Error{ErrorKind::failed,
               fmt::format("the cluster is Kubernetes {}",
                           foreign_line(version->at({"gitVersion"}).text(), 40)),
               fmt::format("update it to 1.{} or newer", oldest_minor)};
}

}  // namespace

Result<void> ClusterStore::prepare() {
  // Only what the command itself says is kept here.
  auto made = make_directories(config_.state_directory,
                               "set XDG_STATE_HOME to a folder that may be written, or stateDir");
  if (!made) return made;
  return check_version(api_);
}

Result<std::unique_ptr<Lock>> ClusterStore::acquire_lock(const LockOwner& owner) {
  return Lease::acquire(api_, owner);
}

Result<std::unique_ptr<Lock>> ClusterStore::adopt_lock(const std::string& handle) {
  return Lease::adopt(api_, handle);
}

std::optional<LockOwner> ClusterStore::lock_holder() {
  return Lease::holder(api_);
}

Result<std::optional<LockOwner>> ClusterStore::end_lock_holder() {
  return Lease::end_holder(api_);
}

Result<std::unique_ptr<Journal>> ClusterStore::open_journal() {
  return ObjectJournal::open(api_);
}

Result<void> ClusterStore::set_aside_journal() {
  return ObjectJournal::set_aside(api_);
}

Result<void> ClusterStore::check_configuration() {
  if (!config_.patch_file.empty()) {
    if (auto patches = read_patches(config_.patch_file); !patches) return patches.error();
  }
  return check_access(api_);
}

Result<service::Service> ClusterStore::described_by(const Release& release) const {
  const service::Defaults defaults{config_.project, release.repository};
  Result<service::Service> service =
      !release.description.empty()
          ? service::parse_service(release.description, "its label io.slipway.service", defaults)
      : !config_.service_file.empty() ? service::read_service(config_.service_file, defaults)
                                      : service::parse_service("{}", "", defaults);
  if (service) return service;
  return Error{ErrorKind::usage,
               fmt::format("{} cannot be deployed: {}", release.describe(),
                           foreign_text(service.error().what, 800)),
               "build the image with the label that its slipway.yml makes, or with none"};
}

Result<Supplied> ClusterStore::read_supplied(const Names& names, const service::Service& service) {
  Supplied supplied;
  auto variables = api_.call("GET", names.path("secrets", names.environment()));
  if (!variables) return variables.error();
  if (variables->ok()) supplied.environment = decoded_data(variables->json);
  for (const std::string& name : service.secrets) {
    if (supplied.environment.contains(name)) continue;
    return Error{ErrorKind::usage,
                 fmt::format("the Secret {} in {} has no {}, which the service needs",
                             names.environment(), names.space, name),
                 fmt::format("kubectl -n {} create secret generic {} --from-env-file=FILE",
                             names.space, names.environment())};
  }
  for (const auto& [folder, path] : service.config) {
    auto files = api_.demand("read the configuration", "GET",
                             names.path("configmaps", names.folder(folder)));
    if (!files && files.error().kind == ErrorKind::not_found) {
      return Error{ErrorKind::usage,
                   fmt::format("there is no ConfigMap {} in {}, which the service needs for {}",
                               names.folder(folder), names.space, path),
                   fmt::format("kubectl -n {} create configmap {} --from-file=FOLDER", names.space,
                               names.folder(folder))};
    }
    if (!files) return files.error();
    supplied.folders[folder] = decoded_data(*files);
  }
  return supplied;
}

Result<std::shared_ptr<const Json>> ClusterStore::render(const Names& names,
                                                         const service::Service& service,
                                                         const Supplied& supplied) {
  const int wanted = config_.replicas.value_or(service.kubernetes.replicas);
  Json deployment = deployment_template(names, service, supplied, wanted);
  auto changed = apply_patch(api_, config_.patch_file, deployment);
  if (!changed) return changed.error();
  if (auto one = check_replicas(service, deployment); !one) return one.error();
  return std::make_shared<const Json>(std::move(deployment));
}

// What no quota, policy or webhook lets in is found before anything is changed.
Result<void> ClusterStore::try_out(const Names& names, const Json& deployment,
                                   const Release& release) {
  Json trial = place(deployment, names, {Colour::blue, release, "t0"});
  trial["metadata"]["name"] = names.service + "-trial";
  auto answer = api_.call("POST", names.path("deployments") + "?dryRun=All&fieldValidation=Strict",
                          to_text(trial));
  if (!answer) return answer.error();
  if (!answer->ok()) {
    return Error{ErrorKind::usage,
                 fmt::format("the cluster does not take its Deployment: {}", answer->message()),
                 "correct slipway.yml or the patch"};
  }
  for (const JsonValue& container :
       answer->json.at({"spec", "template", "spec", "containers"}).items()) {
    const std::string image = container.at({"image"}).text();
    if (container.at({"name"}).text() != container_name || digest_of(image) == release.digest) {
      continue;
    }
    return Error{ErrorKind::usage,
                 fmt::format("the cluster would run {} in place of {}: a webhook of its changes "
                             "images",
                             foreign_line(image, 200), release.describe()),
                 "exempt the namespace from the webhook, or deploy the image that it names"};
  }
  return {};
}

Result<std::shared_ptr<const Snapshot>> ClusterStore::read_snapshot(const Release& release) {
  const auto names = api_.names();
  if (!names) return names.error();
  auto service = described_by(release);
  if (!service) return service.error();
  if (service->bake.window.count() > 0 && !service->bake.good) {
    return Error{ErrorKind::usage, "nothing in a cluster counts answers, as a bake needs it",
                 "name the service's own counters in its slipway.yml, bake.good and bake.bad, or "
                 "leave out bake.window"};
  }
  auto supplied = read_supplied(*names, *service);
  if (!supplied) return supplied.error();
  auto deployment = render(*names, *service, *supplied);
  if (!deployment) return deployment.error();
  auto snapshot =
      std::make_shared<ClusterSnapshot>(api_, *names, release, *service, *supplied, **deployment);
  Release placed = release;
  placed.snapshot = snapshot->hash();
  if (auto taken = try_out(*names, **deployment, placed); !taken) return taken.error();
  services_[snapshot->hash()] = std::move(*service);
  return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

Result<const StoredSnapshot*> ClusterStore::stored(const std::string& snapshot_hash) {
  auto known = stored_.find(snapshot_hash);
  if (known == stored_.end()) {
    auto found = read_stored(api_, snapshot_hash);
    if (!found) return found.error();
    known = stored_.emplace(snapshot_hash, std::move(*found)).first;
  }
  return &known->second;
}

Result<service::Service> ClusterStore::service_of(const std::string& snapshot_hash) {
  const auto known = services_.find(snapshot_hash);
  if (known != services_.end()) return known->second;
  Result<service::Service> service = Error{};
  const auto found = stored(snapshot_hash);
  if (found) {
    service = service::parse_service((*found)->service, "Secret " + snapshot_hash.substr(0, 12));
    if (!service) {
      return Error{ErrorKind::corrupt, foreign_text(service.error().what, 800),
                   "do not trust this snapshot: deploy the version anew"};
    }
  } else if (found.error().kind == ErrorKind::not_found) {
    service = described_by({});
  } else {
    return found.error();
  }
  if (service) services_[snapshot_hash] = *service;
  return service;
}

Result<const Json*> ClusterStore::deployment_of(const std::string& snapshot_hash) {
  const auto found = stored(snapshot_hash);
  if (!found) return found.error();
  return &(*found)->deployment;
}

std::vector<std::string> ClusterStore::secrets(const std::string& snapshot_hash) {
  const auto found = stored(snapshot_hash);
  return found ? (*found)->secret : std::vector<std::string>{};
}

}  // namespace slipway::deploy
