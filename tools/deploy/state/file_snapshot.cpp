#include "deploy/state/file_snapshot.hpp"

#include "base/durable_file.hpp"
#include "base/sha256.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

namespace fs = std::filesystem;

Result<SnapshotFile> read_one(const fs::path& path, std::string name) {
  auto content = read_file(path, std::size_t{4} << 20);
  if (!content) return content.error();
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return io_error("cannot stat", path.string(), errno);
  return SnapshotFile{std::move(name), std::move(*content), status.st_mode & 07777, status.st_uid,
                      status.st_gid};
}

// A file that the host's configuration names and that cannot be read.
Error named_by(const std::string& field, const Error& cause, const std::string& remedy) {
  return {ErrorKind::usage,
          fmt::format("{} (field {} of the host's configuration)", cause.what, field),
          fmt::format("{}, or correct {}", remedy, field)};
}

Result<void> make_directory(const fs::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return io_error("cannot make the folder", path.string(), errno);
  }
  return {};
}

Result<void> write_files(const fs::path& directory, const std::vector<SnapshotFile>& files) {
  for (const SnapshotFile& file : files) {
    const fs::path path = directory / file.name;
    if (auto written = write_durably(path, file.content, file.mode); !written) return written;
    if (::chown(path.c_str(), file.owner, file.group) != 0 && ::geteuid() == 0) {
      return io_error("cannot set the owner of", path.string(), errno);
    }
  }
  return {};
}

std::string hash_of(const std::vector<SnapshotFile>& files) {
  std::string all;
  for (const SnapshotFile& file : files) {
    all += fmt::format("{} {:o} {}:{} {}\n", file.name, file.mode, file.owner, file.group,
                       sha256_hex(file.content));
  }
  return sha256_hex(all);
}

Result<SnapshotFile> read_compose_file(const Config& config) {
  auto compose = read_one(config.compose_file, "compose.yml");
  if (!compose) return named_by("composeFile", compose.error(), "copy compose.yml there");
  compose->mode = 0600;
  return compose;
}

Result<SnapshotFile> read_environment(const Config& config) {
  SnapshotFile environment{"connector.env", "", 0600, ::geteuid(), ::getegid()};
  if (config.environment_file.empty()) return environment;
  auto content = read_file(config.environment_file, std::size_t{1} << 20);
  if (!content) {
    return named_by("envFile", content.error(),
                    "copy connector.env.example to it, chmod 600, and write the tokens into it");
  }
  environment.content = std::move(*content);
  return environment;
}

Result<void> read_configuration(const Config& config, std::vector<SnapshotFile>& files) {
  std::error_code failed;
  for (fs::directory_iterator entry(config.config_directory, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (!entry->is_regular_file()) {
      return Error{ErrorKind::usage, fmt::format("{} is not a plain file", entry->path().string()),
                   "keep only plain files in configDir"};
    }
    auto file = read_one(entry->path(), "config/" + entry->path().filename().string());
    if (!file) return file.error();
    files.push_back(std::move(*file));
  }
  if (!failed) return {};
  return Error{
      ErrorKind::usage,
      fmt::format("cannot list {}: {}", config.config_directory.string(), failed.message()),
      "correct configDir in the host's configuration"};
}

fs::path snapshots_of(const Config& config) {
  return config.state_directory / "snapshots";
}

}  // namespace

FileSnapshot::FileSnapshot(fs::path parent, std::vector<SnapshotFile> files)
    : parent_(std::move(parent)), files_(std::move(files)) {
  std::sort(files_.begin(), files_.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  hash_ = hash_of(files_);
}

Result<std::shared_ptr<const Snapshot>> FileSnapshot::read(const Config& config) {
  std::vector<SnapshotFile> files;
  for (const auto& read_file_of : {read_compose_file, read_environment}) {
    auto file = read_file_of(config);
    if (!file) return file.error();
    files.push_back(std::move(*file));
  }
  if (auto read = read_configuration(config, files); !read) return read.error();
  return std::shared_ptr<const Snapshot>(new FileSnapshot(snapshots_of(config), std::move(files)));
}

SnapshotPaths::SnapshotPaths(const Config& config, const std::string& hash)
    : directory(snapshots_of(config) / hash),
      compose_file(directory / "compose.yml"),
      environment_file(directory / "connector.env"),
      config_directory(directory / "config") {}

Result<void> FileSnapshot::write() const {
  const fs::path final_path = parent_ / hash_;
  if (fs::exists(final_path)) return {};
  const fs::path unfinished = parent_ / (hash_ + ".new");
  std::error_code ignored;
  fs::remove_all(unfinished, ignored);
  for (const auto& [path, mode] : {std::pair<fs::path, mode_t>{parent_, 0700},
                                   {unfinished, 0700},
                                   {unfinished / "config", 0755}}) {
    if (auto made = make_directory(path, mode); !made) return made;
  }
  if (auto written = write_files(unfinished, files_); !written) return written;
  if (::rename(unfinished.c_str(), final_path.c_str()) != 0) {
    return io_error("cannot publish the snapshot", final_path.string(), errno);
  }
  return sync_directory(parent_);
}

}  // namespace slipway::deploy
