#include "deploy/state/host_store.hpp"

#include "base/durable_file.hpp"
#include "base/foreign_text.hpp"
#include "deploy/state/file_snapshot.hpp"
#include "deploy/state/journal_file.hpp"
#include "deploy/state/lock_file.hpp"
#include "deploy/state/secrets.hpp"
#include "service/read_service.hpp"

#include <cerrno>
#include <cstdlib>
#include <sys/stat.h>

#include <fmt/core.h>

namespace slipway::deploy {

Result<void> HostStore::prepare() {
  const std::filesystem::path& directory = config_.state_directory;
  if (auto made = make_directories(directory, "run as root, or correct stateDir"); !made)
    return made;
  // HAProxy's user must reach its folders below; everything of ours in here is 0600 or 0700.
  return make_directory(directory, 0711);
}

Result<std::unique_ptr<Lock>> HostStore::acquire_lock(const LockOwner& owner) {
  return LockFile::acquire(lock_file(), owner);
}

Result<std::unique_ptr<Lock>> HostStore::adopt_lock(const std::string& handle) {
  return LockFile::adopt(std::atoi(handle.c_str()));
}

std::optional<LockOwner> HostStore::lock_holder() {
  return LockFile::holder(lock_file());
}

Result<std::optional<LockOwner>> HostStore::end_lock_holder() {
  return LockFile::end_holder(lock_file());
}

Result<std::unique_ptr<Journal>> HostStore::open_journal() {
  auto opened = JournalFile::open(journal_file());
  if (!opened) return opened.error();
  return std::unique_ptr<Journal>(std::make_unique<JournalFile>(std::move(*opened)));
}

Result<void> HostStore::set_aside_journal() {
  std::error_code ignored;
  if (!std::filesystem::exists(journal_file(), ignored)) return {};
  return JournalFile::set_aside(journal_file());
}

Result<void> HostStore::check_configuration() {
  return FileSnapshot::check(config_);
}

Result<service::Service> HostStore::service_of_host() const {
  const service::Defaults defaults{config_.project, config_.repository};
  if (config_.service_file.empty()) return service::parse_service("{}", "", defaults);
  auto service = service::read_service(config_.service_file, defaults);
  if (service) return service;
  return Error{ErrorKind::usage, service.error().what,
               fmt::format("correct {} (field service of {})", config_.service_file.string(),
                           config_.file.string())};
}

Result<service::Service> HostStore::described_by(const Release& release) const {
  if (release.description.empty()) return service_of_host();
  auto service = service::parse_service(release.description, "its label io.slipway.service",
                                        {config_.project, release.repository});
  if (service) return service;
  return Error{ErrorKind::usage,
               fmt::format("{} cannot be deployed: {}", release.describe(),
                           foreign_text(service.error().what, 800)),
               "build the image with the label that its slipway.yml makes, or with none"};
}

Result<std::shared_ptr<const Snapshot>> HostStore::read_snapshot(const Release& release) {
  auto service = described_by(release);
  if (!service) return service.error();
  auto snapshot = FileSnapshot::read(config_, *service);
  if (snapshot) services_[(*snapshot)->hash()] = std::move(*service);
  return snapshot;
}

Result<service::Service> HostStore::service_of(const std::string& snapshot_hash) {
  const auto known = services_.find(snapshot_hash);
  if (known != services_.end()) return known->second;
  const auto file = SnapshotPaths(config_, snapshot_hash).service_file;
  auto text = read_file(file, std::size_t{64} << 10);
  if (!text && text.error().kind != ErrorKind::not_found) return text.error();
  auto service = text ? service::parse_service(*text, file.string()) : service_of_host();
  if (!service && text) {
    return Error{ErrorKind::corrupt, foreign_text(service.error().what, 800),
                 "do not trust this snapshot: deploy the version anew"};
  }
  if (service) services_[snapshot_hash] = *service;
  return service;
}

std::vector<std::string> HostStore::secrets(const std::string& snapshot_hash) {
  const SnapshotPaths paths(config_, snapshot_hash);
  return secrets_of(paths.environment_file, paths.config_directory);
}

}  // namespace slipway::deploy
