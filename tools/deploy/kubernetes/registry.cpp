#include "deploy/kubernetes/registry.hpp"

#include "base/foreign_text.hpp"
#include "base/process.hpp"
#include "deploy/model/image_labels.hpp"

#include <fmt/core.h>

namespace slipway::deploy {

Result<Release> read_inspection(std::string_view json, const Reference& reference) {
  const JsonValue answer = JsonValue::parse(json);
  Release release = release_of_labels(answer.at({"Labels"}));
  release.repository = reference.repository;
  release.tag = reference.tag;
  release.digest = answer.at({"Digest"}).text();
  if (!reference.digest.empty() && release.digest != reference.digest) {
    return Error{ErrorKind::not_found,
                 fmt::format("the registry has {} as {}", reference.digest,
                             foreign_line(release.digest, 80)),
                 "do not trust this registry"};
  }
  if (!is_well_formed(release)) {
    return Error{ErrorKind::not_found,
                 fmt::format("the registry named no digest for {}", reference.text()),
                 {}};
  }
  // A cluster tells which digest a pod runs.
  release.image_id = release.digest;
  return release;
}

Result<Release> ask_registry(const Reference& reference, std::chrono::nanoseconds deadline,
                             std::stop_token stop) {
  const std::string image = "docker://" + reference.text();
  auto said = run_command({.argv = {"skopeo", "inspect", "--no-tags", image}, .deadline = deadline},
                          std::move(stop));
  if (!said && said.error().kind == ErrorKind::not_found) {
    return Error{ErrorKind::usage, "there is no skopeo here, which asks registries of images",
                 "install the package skopeo"};
  }
  if (!said) return said.error();
  if (said->exit_status == 0) return read_inspection(said->out, reference);
  return Error{ErrorKind::not_found,
               fmt::format("cannot find {}: {}", reference.text(), foreign_text(said->err, 400)),
               {}};
}

}  // namespace slipway::deploy
