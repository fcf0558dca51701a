#pragma once

#include "base/error.hpp"
#include "deploy/model/release.hpp"
#include "deploy/state/config.hpp"

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace slipway::deploy {

// Images as files of the host, images/DIGEST.tar below the state directory, with what is known of
// each in DIGEST.json. `docker system prune -a` takes every image that no running container has,
// whatever else names it; a file it does not take.
class ImageArchive {
 public:
  explicit ImageArchive(const Config& config);

  bool has(const std::string& digest) const;
  // All that are whole.
  std::vector<Release> releases() const;
  // Nothing happens where it is there already. Errors: failed, io (no room), timeout, cancelled.
  Result<void> write(const Release& release, std::stop_token stop) const;
  // Gives the engine its image back. Errors: not_found, failed, timeout, cancelled.
  Result<Release> load(const std::string& digest, std::stop_token stop) const;
  // Nothing there is success.
  void remove(const std::string& digest) const;

 private:
  std::filesystem::path image_of(const std::string& digest) const;
  std::filesystem::path description_of(const std::string& digest) const;

  const Config& config_;
  std::filesystem::path folder_;
};

}  // namespace slipway::deploy
