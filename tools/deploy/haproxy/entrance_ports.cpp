#include "deploy/haproxy/entrance_ports.hpp"

#include "base/unique_fd.hpp"
#include "deploy/state/compose_file.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <sstream>
#include <string>
#include <sys/socket.h>

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
               "stop it, or take another port (fields ports and haproxyMetricsPort of the host's "
               "configuration)"};
}

}  // namespace

Result<void> check_entrance_ports(const Config& config, const Services& services) {
  for (const service::Service& service : {services.blue, services.green}) {
    for (const std::uint16_t port : ports_of(service)) {
      if (auto free = check_port_free(config.published(port)); !free) return free;
    }
  }
  if (config.haproxy_metrics_port != 0) return check_port_free(config.haproxy_metrics_port);
  return {};
}

bool somebody_listens(std::uint16_t port) {
  return !listening_inode("/proc/net/tcp", port).empty() ||
         !listening_inode("/proc/net/tcp6", port).empty();
}

}  // namespace slipway::deploy
