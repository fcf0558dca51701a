#pragma once

#include "deploy/docker/docker_api.hpp"
#include "deploy/docker/image_archive.hpp"
#include "deploy/model/release.hpp"
#include "deploy/state/config.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace slipway::deploy {

// The engine's images: found, pulled, and kept from being pruned by a tag and a container that is
// never started. The contracts are Engine's.
class DockerImages {
 public:
  DockerImages(const Config& config, const DockerApi& api)
      : config_(config), api_(api), archive_(config) {}

  // What the image says of itself; its digest is not among that.
  Result<Release> inspect(const std::string& name) const;
  Result<Release> find_local(const Release& wanted) const;
  Result<Release> pull(const Reference& reference, std::stop_token stop) const;
  Result<void> retain(const Release& release) const;
  Result<void> archive(const Release& release, std::stop_token stop) const;
  Result<std::vector<Release>> missing(const std::vector<Release>& releases) const;
  Result<void> release(const Release& unwanted) const;
  Result<std::vector<Release>> retained() const;

 private:
  // Asks the registry for the digest.
  Result<std::string> resolve(const Reference& reference, std::stop_token stop) const;
  // What an archive has, back in the engine.
  Result<Release> restore(const Reference& reference, std::stop_token stop) const;
  // The name of the container that keeps the image.
  std::string retainer(const Release& release) const;

  const Config& config_;
  const DockerApi& api_;
  ImageArchive archive_;
};

}  // namespace slipway::deploy
