#include "connector/ledger_place.hpp"

#include "base/durable_file.hpp"
#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace slipway::connector::test {
namespace {

constexpr std::uint64_t sqlite_megabytes = 64;
constexpr std::uint64_t postgres_megabytes = 512;
constexpr std::uintmax_t room_to_grow = std::uintmax_t{1} << 20;

}  // namespace

LedgerPlace::LedgerPlace(bool postgres, bool can_be_cut) {
  if (can_be_cut) disk_.emplace(postgres ? postgres_megabytes : sqlite_megabytes);
  const std::filesystem::path folder = disk_ ? disk_->path() : folder_.path();
  if (postgres) {
    // Another user's.
    if (!disk_) std::filesystem::permissions(folder, std::filesystem::perms(0711));
    const auto home = folder / "postgres";
    std::filesystem::create_directory(home);
    server_.emplace(home);
  }
  store_ = postgres ? server_->store() : "sqlite:" + (folder / "ledger.db").string();
}

// SQLite's log needs no more room once it has grown to the size at which it is used again: so there
// is less than that from the beginning.
void LedgerPlace::prepare_to_break() {
  if (server_) return;
  const auto name = disk_->path() / "filler";
  const UniqueFd filler(::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const std::string block(4096, 'x');
  while (::write(filler.get(), block.data(), block.size()) > 0) {
  }
  std::filesystem::resize_file(name, std::filesystem::file_size(name) - room_to_grow);
  ::fsync(filler.get());
}

void LedgerPlace::break_down() {
  if (server_) server_->kill();
}

void LedgerPlace::mend() {
  if (server_) {
    server_->start();
  } else {
    std::filesystem::remove(disk_->path() / "filler");
  }
}

void LedgerPlace::cut() {
  if (server_) server_->kill();
  disk_->cut();
  if (server_) server_->start();
}

bool cut_loses_only_what_is_not_synced() {
  PowerCutDisk disk(16);
  const auto file = disk.path() / "file";
  write_durably(file, "kept").value();
  append_to(file, " lost").value();
  disk.cut();
  const auto left = read_file(file);
  return left && *left == "kept";
}

}  // namespace slipway::connector::test
