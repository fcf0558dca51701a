#pragma once

// The compose file, environment file and configuration folder that an image runs with, kept by
// hash so that a rollback brings back what the old version ran with.

#include "base/error.hpp"
#include "deploy/state/config.hpp"

#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace slipway::deploy {

struct SnapshotFile {
  std::string name;  // relative, e.g. "config/connector.json"
  std::string content;
  mode_t mode = 0600;
  uid_t owner = 0;
  gid_t group = 0;
};

struct Snapshot {
  std::string hash;  // SHA-256 of names, modes and contents
  std::vector<SnapshotFile> files;
};

// What lies on the host now. Errors: usage (what the
// configuration names is not there, or a link or folder inside configDir), io.
Result<Snapshot> read_snapshot(const Config& config);

// Where the snapshot with this hash is or would be.
std::filesystem::path snapshot_directory(const Config& config, const std::string& hash);

// Writes it durably, once; the folder is 0700, compose file and environment 0600, and the
// configuration keeps its modes, because the container's user must read it.
Result<void> write_snapshot(const Config& config, const Snapshot& snapshot);

}  // namespace slipway::deploy
