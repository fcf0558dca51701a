#include "deploy/state/journal_file.hpp"

#include "base/durable_file.hpp"
#include "deploy/model/ledger.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::deploy {

Result<JournalFile> JournalFile::open(const std::filesystem::path& path) {
  JournalFile journal(path);
  // One that an earlier version let grow is compacted by whoever writes next.
  auto bytes = read_file(path, std::size_t{4} << 30);
  if (!bytes) {
    if (bytes.error().kind == ErrorKind::not_found) return journal;
    return bytes.error();
  }
  auto decoded = decode(*bytes);
  if (!decoded) {
    Error error = decoded.error();
    error.what = fmt::format("{}: {}", path.string(), error.what);
    return error;
  }
  journal.records_ = std::move(decoded->records);
  journal.valid_bytes_ = decoded->valid_bytes;
  journal.torn_ = decoded->valid_bytes != bytes->size();
  return journal;
}

// Room for a whole operation and its recovery, taken before either begins. What an earlier one
// reserved is enough to go back on a disk that is full by now.
Result<void> JournalFile::reserve() {
  constexpr off_t wanted = off_t{64} << 10;
  constexpr off_t least = off_t{16} << 10;
  for (const off_t room : {wanted, least}) {
    const off_t end = static_cast<off_t>(valid_bytes_) + room;
    if (::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, 0, end) == 0) return {};
    // A file system that cannot reserve is used without.
    if (errno != ENOSPC && errno != EDQUOT) return {};
  }
  const int saved = errno;
  fd_.reset();
  return io_error("cannot reserve room for the journal", path_.string(), saved);
}

// Nothing is lost where it cannot be done: the journal stays as it is, and is tried again.
void JournalFile::compact_if_long() {
  if (records_.size() <= most_records) return;
  auto kept = compact(records_, kept_records);
  if (!kept) return;
  std::string content;
  for (const Record& record : *kept) content += encode(record);
  // What it was until now stays for people, one generation of it.
  const std::string before = path_.string() + ".old";
  ::unlink(before.c_str());
  if (::link(path_.c_str(), before.c_str()) != 0) return;
  if (!write_durably(path_, content, 0600)) return;
  records_ = std::move(*kept);
  valid_bytes_ = content.size();
  torn_ = false;
}

Result<void> JournalFile::open_for_append() {
  compact_if_long();
  fd_ = UniqueFd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!fd_) return io_error("cannot open the journal", path_.string(), errno);
  // Only where needed: truncating gives the reserved room back.
  if (torn_ && ::ftruncate(fd_.get(), static_cast<off_t>(valid_bytes_)) != 0) {
    return io_error("cannot cut the torn tail of", path_.string(), errno);
  }
  torn_ = false;
  if (auto reserved = reserve(); !reserved) return reserved;
  return sync_directory(path_.has_parent_path() ? path_.parent_path() : ".");
}

Result<void> JournalFile::append(std::string transaction, std::string time, Entry entry) {
  if (!fd_) {
    if (auto opened = open_for_append(); !opened) return opened.error();
  }
  Record record{records_.empty() ? 1 : records_.back().sequence + 1, std::move(transaction),
                std::move(time), std::move(entry)};
  const std::string line = encode(record);
  std::size_t written = 0;
  while (written < line.size()) {
    const ssize_t count = ::pwrite(fd_.get(), line.data() + written, line.size() - written,
                                   static_cast<off_t>(valid_bytes_ + written));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int saved = errno;
      // What was written of the record is a torn tail, cut by the next append.
      torn_ = true;
      fd_.reset();
      return io_error("cannot write the journal", path_.string(), saved);
    }
    written += static_cast<std::size_t>(count);
  }
  if (::fsync(fd_.get()) != 0) {
    const int saved = errno;
    fd_.reset();
    return io_error("cannot sync the journal", path_.string(), saved);
  }
  valid_bytes_ += line.size();
  records_.push_back(std::move(record));
  return {};
}

Result<void> JournalFile::set_aside(const std::filesystem::path& path) {
  for (int number = 1; number < 1000; ++number) {
    const std::filesystem::path aside = fmt::format("{}.damaged-{}", path.string(), number);
    if (::access(aside.c_str(), F_OK) == 0) continue;
    if (::rename(path.c_str(), aside.c_str()) != 0) {
      return io_error("cannot set aside", path.string(), errno);
    }
    return sync_directory(path.parent_path());
  }
  return Error{ErrorKind::io,
               fmt::format("there are too many damaged journals beside {}", path.string()),
               "look at them and remove them"};
}

}  // namespace slipway::deploy
