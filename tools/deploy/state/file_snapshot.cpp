#include "deploy/state/file_snapshot.hpp"

#include "base/durable_file.hpp"
#include "base/sha256.hpp"
#include "deploy/state/compose_file.hpp"
#include "deploy/state/environment_file.hpp"
#include "service/read_service.hpp"

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

// A file of ours, from text.
SnapshotFile made(std::string name, std::string content) {
  return {std::move(name), std::move(content), 0600, ::geteuid(), ::getegid()};
}

Result<SnapshotFile> compose_file_of(const Config& config, const service::Service& service) {
  if (config.compose_file.empty()) {
    return made("compose.yml", compose_of_colours(config, service));
  }
  auto own = read_one(config.compose_file, "compose.yml");
  if (!own) {
    return named_by("composeFile", own.error(),
                    "put it there (without the field deploy makes the file)");
  }
  own->mode = 0600;
  return own;
}

Result<SnapshotFile> read_environment(const Config& config) {
  if (config.environment_file.empty()) return made("service.env", "");
  auto content = read_file(config.environment_file, std::size_t{1} << 20);
  if (!content) {
    return named_by("envFile", content.error(),
                    "write the service's secrets into it, NAME=VALUE a line, and chmod 600");
  }
  if (auto values = parse_environment(*content); !values) {
    return Error{ErrorKind::usage,
                 fmt::format("cannot use {} (field envFile of the host's configuration): {}",
                             config.environment_file.string(), values.error().what),
                 "correct that line: NAME=VALUE, as the operators' guide has it"};
  }
  return made("service.env", std::move(*content));
}

// The service's secrets, of which it says only the names.
Result<void> check_secrets(const Config& config, const service::Service& service,
                           const std::string& environment) {
  const auto values = parse_environment(environment);
  if (!values) return values.error();
  for (const std::string& name : service.secrets) {
    const auto told = values->find(name);
    if (told != values->end() && !told->second.empty()) continue;
    const std::string file = config.environment_file.empty()
                                 ? (config.file.parent_path() / "service.env").string()
                                 : config.environment_file.string();
    return Error{ErrorKind::usage, fmt::format("the service needs {}, and {} lacks it", name, file),
                 fmt::format("write {}=VALUE into {}, and chmod 600 it", name, file)};
  }
  return {};
}

Result<void> read_folder(const fs::path& folder, const std::string& name, const std::string& place,
                         std::vector<SnapshotFile>& files) {
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (!entry->is_regular_file()) {
      return Error{ErrorKind::usage, fmt::format("{} is not a plain file", entry->path().string()),
                   "keep only plain files in the folders of configDir"};
    }
    auto file = read_one(entry->path(), name + "/" + entry->path().filename().string());
    if (!file) return file.error();
    files.push_back(std::move(*file));
  }
  if (!failed) return {};
  return Error{ErrorKind::usage,
               fmt::format("cannot list {}: {}; the service wants it at {}", folder.string(),
                           failed.message(), place),
               "make that folder with its files, or correct configDir in the host's configuration"};
}

fs::path snapshots_of(const Config& config) {
  return config.state_directory / "snapshots";
}

}  // namespace

Result<void> FileSnapshot::repair_modes(const fs::path& snapshot) {
  if (std::error_code absent; !fs::is_directory(snapshot, absent)) {
    return Error{ErrorKind::not_found,
                 fmt::format("what it ran with is not on this host any more: there is no {}",
                             snapshot.string()),
                 "'rollback --image-only VERSION' runs it with the configuration of today"};
  }
  if (auto made = make_directory(snapshot, 0700); !made) return made;
  if (auto made = make_directory(snapshot / "config", 0755); !made) return made;
  std::error_code failed;
  for (fs::recursive_directory_iterator entry(snapshot / "config", failed), end;
       !failed && entry != end; entry.increment(failed)) {
    if (!entry->is_directory()) continue;
    if (auto made = make_directory(entry->path(), 0755); !made) return made;
  }
  return {};
}

FileSnapshot::FileSnapshot(fs::path parent, std::vector<SnapshotFile> files)
    : parent_(std::move(parent)), files_(std::move(files)) {
  std::sort(files_.begin(), files_.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  hash_ = hash_of(files_);
}

Result<void> FileSnapshot::check(const Config& config) {
  if (auto compose = compose_file_of(config, {}); !compose) return compose.error();
  if (auto environment = read_environment(config); !environment) return environment.error();
  return {};
}

Result<std::shared_ptr<const Snapshot>> FileSnapshot::read(const Config& config,
                                                           const service::Service& service) {
  if (auto published = check_ports(config, service); !published) return published.error();
  auto compose = compose_file_of(config, service);
  if (!compose) return compose.error();
  auto environment = read_environment(config);
  if (!environment) return environment.error();
  if (auto told = check_secrets(config, service, environment->content); !told) return told.error();
  std::vector<SnapshotFile> files{std::move(*compose), std::move(*environment),
                                  made("service.json", to_json_text(service) + "\n")};
  for (const auto& [name, place] : service.config) {
    auto read = read_folder(config.config_directory / name, "config/" + name, place, files);
    if (!read) return read.error();
  }
  return std::shared_ptr<const Snapshot>(new FileSnapshot(snapshots_of(config), std::move(files)));
}

SnapshotPaths::SnapshotPaths(const Config& config, const std::string& hash)
    : directory(snapshots_of(config) / hash),
      compose_file(directory / "compose.yml"),
      environment_file(directory / "service.env"),
      config_directory(directory / "config"),
      service_file(directory / "service.json") {
  // Earlier versions had another name for it.
  std::error_code ignored;
  if (fs::exists(environment_file, ignored)) return;
  for (fs::directory_iterator entry(directory, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    if (entry->path().extension() == ".env") environment_file = entry->path();
  }
}

Result<void> FileSnapshot::write() const {
  const fs::path final_path = parent_ / hash_;
  const bool is_whole = std::all_of(files_.begin(), files_.end(), [&](const SnapshotFile& file) {
    return fs::exists(final_path / file.name);
  });
  if (is_whole) return repair_modes(final_path);
  const fs::path unfinished = parent_ / (hash_ + ".new");
  std::error_code ignored;
  fs::remove_all(unfinished, ignored);
  for (const auto& [path, mode] : {std::pair<fs::path, mode_t>{parent_, 0700},
                                   {unfinished, 0700},
                                   {unfinished / "config", 0755}}) {
    if (auto made = make_directory(path, mode); !made) return made;
  }
  for (const SnapshotFile& file : files_) {
    const fs::path folder = (unfinished / file.name).parent_path();
    if (auto made_folder = make_directory(folder, 0755); !made_folder) return made_folder;
  }
  if (auto written = write_files(unfinished, files_); !written) return written;
  fs::remove_all(final_path, ignored);  // of which somebody removed a part
  if (::rename(unfinished.c_str(), final_path.c_str()) != 0) {
    return io_error("cannot publish the snapshot", final_path.string(), errno);
  }
  return sync_directory(parent_);
}

}  // namespace slipway::deploy
