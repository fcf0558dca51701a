#include "base/durable_file.hpp"

#include "base/unique_fd.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway {
namespace {

// A temporary file beside its target: unlinked on destruction unless it was renamed away.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target)
      : path_(target.string() + ".XXXXXX"), fd_(::mkostemp(path_.data(), O_CLOEXEC)) {}
  ~TemporaryFile() {
    if (fd_ && !renamed_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int fd() const { return fd_.get(); }
  bool rename_to(const std::filesystem::path& target) {
    renamed_ = ::rename(path_.c_str(), target.c_str()) == 0;
    return renamed_;
  }

 private:
  std::string path_;
  UniqueFd fd_;
  bool renamed_ = false;
};

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

Result<void> write_durably(const std::filesystem::path& path, std::string_view content,
                           mode_t mode) {
  TemporaryFile temporary(path);
  const bool written = temporary.fd() >= 0 && ::fchmod(temporary.fd(), mode) == 0 &&
                       write_all(temporary.fd(), content) && ::fsync(temporary.fd()) == 0 &&
                       temporary.rename_to(path);
  if (!written) return io_error("cannot write", path.string(), errno);
  return sync_directory(directory_of(path));
}

Result<void> append_to(const std::filesystem::path& path, std::string_view content) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (fd && write_all(fd.get(), content)) return {};
  return io_error("cannot write", path.string(), errno);
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    Error error = io_error("cannot read", path.string(), errno);
    if (errno == ENOENT) error.kind = ErrorKind::not_found;
    return error;
  }
  std::string content;
  char block[65536];
  for (;;) {
    const ssize_t got = ::read(fd.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("cannot read", path.string(), errno);
    if (got == 0) return content;
    content.append(block, static_cast<std::size_t>(got));
    if (content.size() > limit) {
      return Error{ErrorKind::io,
                   fmt::format("cannot read {}: larger than {} bytes", path.string(), limit),
                   {}};
    }
  }
}

Result<void> make_directory(const std::filesystem::path& path, mode_t mode) {
  const bool made = ::mkdir(path.c_str(), mode) == 0 || errno == EEXIST;
  struct stat status{};
  if (!made || ::stat(path.c_str(), &status) != 0 ||
      ((status.st_mode & 07777) != mode && ::chmod(path.c_str(), mode) != 0)) {
    return io_error("cannot make the folder", path.string(), errno);
  }
  return {};
}

Result<void> make_directories(const std::filesystem::path& path, const std::string& remedy) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (!failed) return {};
  return Error{ErrorKind::io, fmt::format("cannot make {}: {}", path.string(), failed.message()),
               remedy};
}

Result<void> sync_directory(const std::filesystem::path& directory) {
  UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return io_error("cannot sync", directory.string(), errno);
  return {};
}

}  // namespace slipway
