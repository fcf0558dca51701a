#include "deploy/run/preflight.hpp"

#include "base/unique_fd.hpp"

#include <cerrno>
#include <fstream>
#include <netinet/in.h>
#include <sstream>
#include <string>
#include <sys/socket.h>
#include <sys/statvfs.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

namespace fs = std::filesystem;

// The inode of the socket that listens on a port, from the kernel's table; empty if there is none.
std::string listening_inode(const char* table, std::uint16_t port) {
  std::ifstream lines(table);
  std::string line;
  const std::string suffix = fmt::format(":{:04X}", port);
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
        timeout >> inode;
    const bool listens = state == "0A";
    if (listens && local.size() > 5 && local.substr(local.size() - 5) == suffix) return inode;
  }
  return {};
}

std::string process_with_socket(const std::string& inode) {
  const std::string wanted = "socket:[" + inode + "]";
  std::error_code ignored;
  for (fs::directory_iterator process("/proc", ignored), end; process != end;
       process.increment(ignored)) {
    for (fs::directory_iterator fd(process->path() / "fd", ignored); !ignored && fd != end;
         fd.increment(ignored)) {
      if (fs::read_symlink(fd->path(), ignored).string() != wanted) continue;
      std::string name;
      std::ifstream(process->path() / "comm") >> name;
      return fmt::format("{} (process {})", name, process->path().filename().string());
    }
  }
  return "a process that is not visible from here";
}

}  // namespace

Result<void> check_free_space(const fs::path& directory, std::uint64_t needed_bytes) {
  struct statvfs status{};
  if (::statvfs(directory.c_str(), &status) != 0) {
    return io_error("cannot ask for the free space of", directory.string(), errno);
  }
  const std::uint64_t free = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  if (free >= needed_bytes) return {};
  return Error{ErrorKind::failed,
               fmt::format("{} has {} MB free and {} MB are needed", directory.string(), free >> 20,
                           needed_bytes >> 20),
               "free some space; 'docker system prune' does not take current or previous"};
}

Result<void> check_port_free(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return {};
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  const void* generic = &address;
  if (::bind(fd.get(), static_cast<const sockaddr*>(generic), sizeof address) == 0 ||
      errno != EADDRINUSE) {
    return {};
  }
  std::string inode = listening_inode("/proc/net/tcp", port);
  if (inode.empty()) inode = listening_inode("/proc/net/tcp6", port);
  const std::string owner = inode.empty() ? std::string("somebody") : process_with_socket(inode);
  return Error{ErrorKind::busy, fmt::format("port {} is taken by {}", port, owner),
               "stop it, or change the port in the host's configuration"};
}

}  // namespace slipway::deploy
