// Images: found, pulled, held against pruning and let go.
#include "deploy/docker/docker_answer.hpp"
#include "deploy/docker/docker_engine.hpp"
#include "deploy/model/foreign_text.hpp"
#include "deploy/state/secrets.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

using nlohmann::json;

constexpr std::string_view hold_repository = "slipway-held";

std::string short_digest(const Release& release) {
  return release.digest.substr(7, 12);
}

}  // namespace

Result<Release> DockerEngine::inspect_image(const std::string& name) const {
  auto answer = api_.demand("inspect the image " + name, "GET", "/images/" + name + "/json");
  if (!answer) return answer.error();
  const json& labels = at(answer->json, {"Config", "Labels"});
  Release release;
  release.image_id = text(at(answer->json, {"Id"}));
  release.revision = label_of(labels, "org.opencontainers.image.revision");
  release.version = label_of(labels, "org.opencontainers.image.version");
  release.oldest_return = label_of(labels, label("oldest-return"));
  return release;
}

Result<Release> DockerEngine::find_local(const Release& wanted) {
  auto found = inspect_image(wanted.repository + "@" + wanted.digest);
  // The engine forgets a digest with the tag that brought it; the image id is as good, because it
  // was recorded when the digest was verified.
  if (!found && !wanted.image_id.empty()) found = inspect_image(wanted.image_id);
  if (!found) return found.error();
  if (!wanted.image_id.empty() && found->image_id != wanted.image_id) {
    return Error{ErrorKind::not_found,
                 fmt::format("{} is here as another image than before", wanted.digest),
                 "do not trust this host's image store"};
  }
  found->repository = wanted.repository;
  found->tag = wanted.tag;
  found->digest = wanted.digest;
  found->snapshot = wanted.snapshot;
  return found;
}

Result<std::string> DockerEngine::resolve(const Reference& reference, std::stop_token stop) const {
  if (!reference.digest.empty()) return reference.digest;
  // The command line knows the credentials; its answer is the registry's manifest, and the digest
  // is in the engine's record of the pull.
  auto pulled = run_command({.argv = {"docker", "pull", "--quiet", reference.text()},
                             .environment = compose_environment(),
                             .deadline = config_.pull_deadline},
                            stop);
  if (!pulled) return pulled.error();
  if (pulled->exit_status != 0) {
    return Error{
        ErrorKind::not_found,
        fmt::format("cannot pull {}: {}", reference.text(), foreign_text(pulled->err, 400)),
        {}};
  }
  auto image =
      api_.demand("inspect " + reference.text(), "GET", "/images/" + reference.text() + "/json",
                  nullptr, std::chrono::seconds(30), stop);
  if (!image) return image.error();
  const std::string prefix = reference.repository + "@";
  for (const json& entry : at(image->json, {"RepoDigests"})) {
    const std::string known = text(entry);
    if (known.substr(0, prefix.size()) == prefix) return known.substr(prefix.size());
  }
  return Error{ErrorKind::not_found,
               fmt::format("the engine knows no digest of {}", reference.text()),
               "push the image to a registry and name it by digest"};
}

Result<Release> DockerEngine::pull(const Reference& reference, std::stop_token stop) {
  auto digest = resolve(reference, stop);
  if (!digest) return digest.error();
  Release wanted;
  wanted.repository = reference.repository;
  wanted.tag = reference.tag;
  wanted.digest = *digest;
  if (auto found = find_local(wanted)) return found;
  Error last;
  // A pull that was cut short is tried once more; the engine keeps the layers that are whole.
  for (int attempt = 0; attempt < 2 && !stop.stop_requested(); ++attempt) {
    const std::string by_digest = wanted.repository + "@" + wanted.digest;
    auto pulled = run_command({.argv = {"docker", "pull", "--quiet", by_digest},
                               .environment = compose_environment(),
                               .deadline = config_.pull_deadline},
                              stop);
    if (!pulled) {
      last = pulled.error();
      continue;
    }
    if (pulled->exit_status == 0) {
      if (auto found = find_local(wanted)) return found;
    }
    last = Error{ErrorKind::not_found,
                 fmt::format("cannot pull {}: {}", by_digest, foreign_text(pulled->err, 400)),
                 {}};
  }
  return last;
}

Result<void> DockerEngine::hold(const Release& release) {
  const std::string name = fmt::format("{}-held-{}", config_.project, short_digest(release));
  // Held already: nothing is written, so that a way back exists on a disk that is full.
  auto there = api_.call("GET", "/containers/" + name + "/json");
  if (!there) return there.error();
  if (there->ok() && text(at(there->json, {"Image"})) == release.image_id) return {};
  auto tagged = api_.demand("tag " + release.digest, "POST",
                            fmt::format("/images/{}/tag?repo={}&tag={}", release.image_id,
                                        hold_repository, short_digest(release)));
  if (!tagged) return tagged.error();
  const json labels = {{label("held"), config_.project},
                       {label("release"), to_json(release).dump()}};
  auto created = api_.call(
      "POST", "/containers/create?name=" + name,
      {{"Image", release.image_id}, {"Labels", labels}, {"HostConfig", {{"NetworkMode", "none"}}}});
  if (!created) return created.error();
  // 409: the reply to an earlier try was lost.
  if (!created->ok() && created->status != 409) {
    return Error{ErrorKind::failed,
                 fmt::format("cannot hold {}: {}", release.digest, created->message()),
                 {}};
  }
  return {};
}

Result<void> DockerEngine::let_go(const Release& release) {
  const std::string name = fmt::format("{}-held-{}", config_.project, short_digest(release));
  auto removed = api_.call("DELETE", "/containers/" + name + "?v=1");
  if (!removed) return removed.error();
  const std::string tag = fmt::format("{}:{}", hold_repository, short_digest(release));
  auto untagged = api_.call("DELETE", "/images/" + tag);
  if (!untagged) return untagged.error();
  // What another tag or container still uses stays: the engine refuses, and that is fine.
  auto image = api_.call("DELETE", "/images/" + release.repository + "@" + release.digest);
  if (!image) return image.error();
  return {};
}

Result<std::vector<Release>> DockerEngine::held() {
  const json filters = {{"label", {fmt::format("{}={}", label("held"), config_.project)}}};
  auto answer = api_.demand("list what is held", "GET",
                            "/containers/json?all=1&filters=" + url_encode(filters.dump()));
  if (!answer) return answer.error();
  std::vector<Release> releases;
  for (const json& container : answer->json) {
    const auto release =
        json::parse(label_of(at(container, {"Labels"}), label("release")), nullptr, false);
    if (release.is_object()) releases.push_back(release_from_json(release));
  }
  return releases;
}

Result<std::string> DockerEngine::storage_directory() {
  auto answer = api_.demand("ask the engine for its folder", "GET", "/info");
  if (!answer) return answer.error();
  return text(at(answer->json, {"DockerRootDir"}));
}

}  // namespace slipway::deploy
