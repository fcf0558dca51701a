#include "deploy/docker/docker_images.hpp"

#include "base/foreign_text.hpp"
#include "deploy/docker/docker_command.hpp"
#include "deploy/docker/labels.hpp"
#include "deploy/model/plan_json.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

constexpr std::string_view hold_repository = "slipway-held";

// Of what is not, nothing goes into a request to the engine.
Error not_well_formed(const Release& release) {
  return {ErrorKind::not_found,
          fmt::format("'{}@{}' is no image by digest", foreign_line(release.repository, 200),
                      foreign_line(release.digest, 80)),
          {}};
}

std::string short_digest(const Release& release) {
  return release.digest.substr(7, 12);
}

}  // namespace

std::string DockerImages::retainer(const Release& release) const {
  return fmt::format("{}-held-{}", config_.project, short_digest(release));
}

Result<Release> DockerImages::inspect(const std::string& name) const {
  auto answer = api_.demand("inspect the image " + name, "GET", "/images/" + name + "/json");
  if (!answer) return answer.error();
  Release release = release_of_labels(answer->json.at({"Config", "Labels"}));
  release.image_id = answer->json.at({"Id"}).text();
  return release;
}

Result<Release> DockerImages::find_local(const Release& wanted) const {
  if (!is_well_formed(wanted)) return not_well_formed(wanted);
  auto found = inspect(wanted.repository + "@" + wanted.digest);
  // The engine forgets a digest with the tag that brought it; the image id is as good, because it
  // was recorded when the digest was verified.
  if (!found && !wanted.image_id.empty()) found = inspect(wanted.image_id);
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

Result<std::string> DockerImages::resolve(const Reference& reference, std::stop_token stop) const {
  if (!reference.digest.empty()) return reference.digest;
  // The command line knows the credentials, and says what the registry answered.
  auto digest = docker_pull(config_, reference.text(), stop);
  if (!digest || !digest->empty()) return digest;
  return Error{ErrorKind::not_found,
               fmt::format("docker pulled {} and did not say its digest", reference.text()),
               "push the image to a registry and name it by digest"};
}

Result<Release> DockerImages::restore(const Reference& reference, std::stop_token stop) const {
  auto wanted = archive_.load(reference.digest, std::move(stop));
  if (!wanted) return wanted;
  wanted->repository = reference.repository;
  wanted->tag = reference.tag;
  return find_local(*wanted);
}

Result<Release> DockerImages::pull(const Reference& reference, std::stop_token stop) const {
  if (auto restored = restore(reference, stop)) return restored;
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
    auto pulled = docker_pull(config_, by_digest, stop);
    auto found = pulled ? find_local(wanted) : Result<Release>(pulled.error());
    if (found) return found;
    last = found.error();
  }
  if (stop.stop_requested()) {
    return Error{ErrorKind::cancelled, "the pull of " + reference.text() + " was stopped", {}};
  }
  return last;
}

Result<void> DockerImages::retain(const Release& release) const {
  if (!is_well_formed(release)) return not_well_formed(release);
  const std::string name = retainer(release);
  // Held already: nothing is written, so that a way back exists on a disk that is full.
  auto there = api_.call("GET", "/containers/" + name + "/json");
  if (!there) return there.error();
  if (there->ok() && there->json.at({"Image"}).text() == release.image_id) return {};
  auto tagged = api_.order("tag " + release.digest, "POST",
                           fmt::format("/images/{}/tag?repo={}&tag={}", release.image_id,
                                       hold_repository, short_digest(release)));
  if (!tagged) return tagged;
  const std::string labels = json_object({{label("held"), json_string(config_.project)},
                                          {label("release"), json_string(to_json_text(release))}});
  auto created = api_.call("POST", "/containers/create?name=" + name,
                           json_object({{"Image", json_string(release.image_id)},
                                        {"Labels", labels},
                                        {"HostConfig", R"({"NetworkMode":"none"})"}}));
  if (!created) return created.error();
  // 409: the reply to an earlier try was lost.
  if (!created->ok() && created->status != 409) {
    return Error{ErrorKind::failed,
                 fmt::format("cannot hold {}: {}", release.digest, created->message()),
                 {}};
  }
  return {};
}

Result<void> DockerImages::archive(const Release& release, std::stop_token stop) const {
  if (!is_well_formed(release) || release.image_id.empty()) return not_well_formed(release);
  return archive_.write(release, std::move(stop));
}

Result<void> DockerImages::release(const Release& unwanted) const {
  if (!is_well_formed(unwanted)) return not_well_formed(unwanted);
  archive_.remove(unwanted.digest);
  auto removed = api_.call("DELETE", "/containers/" + retainer(unwanted) + "?v=1");
  if (!removed) return removed.error();
  const std::string tag = fmt::format("{}:{}", hold_repository, short_digest(unwanted));
  auto untagged = api_.call("DELETE", "/images/" + tag);
  if (!untagged) return untagged.error();
  // What another tag or container still uses stays: the engine refuses, and that is fine.
  auto image = api_.call("DELETE", "/images/" + unwanted.repository + "@" + unwanted.digest);
  if (!image) return image.error();
  return {};
}

Result<std::vector<Release>> DockerImages::missing(const std::vector<Release>& releases) const {
  // One question however many there are: a status has two hundred of them.
  auto answer = api_.demand("list the images", "GET", "/images/json");
  if (!answer) return answer.error();
  std::set<std::string> here;
  for (const JsonValue& image : answer->json.items()) {
    here.insert(image.at({"Id"}).text());
    for (const JsonValue& name : image.at({"RepoDigests"}).items()) here.insert(name.text());
  }
  std::vector<Release> gone;
  for (const Release& release : releases) {
    if (here.count(release.image_id) == 0 &&
        here.count(release.repository + "@" + release.digest) == 0 &&
        !archive_.has(release.digest)) {
      gone.push_back(release);
    }
  }
  return gone;
}

Result<std::vector<Release>> DockerImages::retained() const {
  auto answer = api_.demand(
      "list what is held", "GET",
      "/containers/json?all=1&" + label_filter({label("held") + "=" + config_.project}));
  if (!answer) return answer.error();
  std::vector<Release> releases = archive_.releases();
  for (const JsonValue& container : answer->json.items()) {
    // An image may bring our labels: what counts is on a container of that name and image.
    const auto release = parse_release(label_of(container.at({"Labels"}), label("release")));
    if (!release || !is_well_formed(*release)) continue;
    const auto names = container.at({"Names"}).items();
    const bool ours = names.size() == 1 && names[0].text() == "/" + retainer(*release) &&
                      container.at({"ImageID"}).text() == release->image_id;
    const bool known = std::any_of(releases.begin(), releases.end(), [&](const Release& one) {
      return one.digest == release->digest;
    });
    if (ours && !known) releases.push_back(*release);
  }
  return releases;
}

}  // namespace slipway::deploy
