#include "slipway/cli/repository.hpp"

#include "base/process.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/core.h>

namespace slipway::front {

std::string slug_of_remote(const std::string& address) {
  std::string path = address;
  while (!path.empty() && (path.back() == '\n' || path.back() == '/')) path.pop_back();
  if (path.ends_with(".git")) path.resize(path.size() - 4);
  const std::size_t name = path.find_last_of("/:");
  if (name == std::string::npos || name == 0) return {};
  const std::size_t owner = path.find_last_of("/:", name - 1);
  if (owner == std::string::npos) return {};
  return path.substr(owner + 1);
}

std::string default_branch_of(const std::filesystem::path& folder) {
  for (const char* reference : {"refs/remotes/origin/HEAD", "HEAD"}) {
    const auto named =
        run_command({.argv = {"git", "-C", folder.string(), "symbolic-ref", "--short", reference}});
    if (!named || named->exit_status != 0) continue;
    std::string branch = named->out.substr(0, named->out.find('\n'));
    if (branch.starts_with("origin/")) branch.erase(0, 7);
    if (!branch.empty()) return branch;
  }
  return "main";
}

service::Defaults defaults_of(const std::filesystem::path& folder) {
  std::string slug;
  if (const char* given = std::getenv("GITHUB_REPOSITORY")) slug = given;
  if (slug.empty()) {
    const auto remote = run_command(
        {.argv = {"git", "-C", folder.string(), "config", "--get", "remote.origin.url"}});
    if (remote && remote->exit_status == 0) slug = slug_of_remote(remote->out);
  }
  const std::size_t slash = slug.find('/');
  if (slash == std::string::npos) {
    const bool ends_in_slash = folder.filename().empty();
    const auto& last = ends_in_slash ? folder.parent_path().filename() : folder.filename();
    return {service::plain_name(last.string()), ""};
  }
  const std::string name = service::plain_name(slug.substr(slash + 1));
  return {name, fmt::format("ghcr.io/{}/{}", service::plain_name(slug.substr(0, slash)), name)};
}

Result<service::Service> read_in_repository(const std::filesystem::path& file) {
  service::Defaults defaults = defaults_of(std::filesystem::absolute(file).parent_path());
  const std::string image = std::exchange(defaults.image, {});
  auto read = service::read_service(file, defaults);
  // Of the service's name and not of the repository's, as the workflows push it.
  if (read && read->image.empty() && !image.empty()) {
    read->image = image.substr(0, image.rfind('/') + 1) + read->name;
  }
  return read;
}

}  // namespace slipway::front
