#pragma once

// The compose file, environment, configuration folders and description of the service that an image
// runs with.

#include "deploy/ports/snapshot.hpp"
#include "deploy/state/config.hpp"
#include "service/service.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace slipway::deploy {

struct SnapshotFile {
  std::string name;  // relative, e.g. "config/main/main.json"
  std::string content;
  mode_t mode = 0600;
  uid_t owner = 0;
  gid_t group = 0;
};

class FileSnapshot : public Snapshot {
 public:
  // That the files that the configuration names are there. Errors: usage, io.
  static Result<void> check(const Config& config);
  // What lies on the host now, for this service. Errors: usage (what the configuration or the
  // service names is not there, or a link or folder inside a folder of configDir), io.
  static Result<std::shared_ptr<const Snapshot>> read(const Config& config,
                                                      const service::Service& service);

  const std::string& hash() const override { return hash_; }
  // The folder is 0700, compose file and environment 0600, and the configuration keeps its modes,
  // because the container's user must read it.
  Result<void> write() const override;
  // Gives a snapshot that is there its modes, which an earlier version left to the umask. Errors:
  // not_found, io.
  static Result<void> repair_modes(const std::filesystem::path& snapshot);

 private:
  FileSnapshot(std::filesystem::path parent, std::vector<SnapshotFile> files);

  std::filesystem::path parent_;
  std::vector<SnapshotFile> files_;  // by name
  std::string hash_;                 // of names, modes, owners and contents
};

// Where the snapshot with this hash is or would be, and what lies in it.
struct SnapshotPaths {
  SnapshotPaths(const Config& config, const std::string& hash);

  std::filesystem::path directory;
  std::filesystem::path compose_file;
  std::filesystem::path environment_file;
  std::filesystem::path config_directory;
  std::filesystem::path service_file;  // there is none in one of an earlier version
};

}  // namespace slipway::deploy
