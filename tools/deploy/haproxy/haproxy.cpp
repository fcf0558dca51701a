#include "deploy/haproxy/haproxy.hpp"

#include "base/durable_file.hpp"
#include "base/foreign_text.hpp"
#include "base/unique_fd.hpp"
#include "deploy/haproxy/entrance_ports.hpp"
#include "deploy/haproxy/haproxy_file.hpp"
#include "deploy/haproxy/making.hpp"
#include "deploy/haproxy/runtime_socket.hpp"
#include "deploy/haproxy/statistics.hpp"
#include "deploy/state/compose_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

namespace fs = std::filesystem;

// The map's name inside the container, as haproxy_file() and compose_of_haproxy() have it.
constexpr std::string_view map_name = "/var/lib/slipway-proxy/active.map";
constexpr uid_t proxy_user = 10001;

Result<std::optional<Colour>> parse_value(std::string_view value, const std::string& where) {
  if (value == "none") return std::optional<Colour>{};
  if (const auto colour = parse_colour(value)) return colour;
  return Error{ErrorKind::corrupt,
               fmt::format("{} names '{}', which is no colour", where, foreign_text(value, 80)),
               "write 'active blue' or 'active green' into the map by hand"};
}

// The value of the last line "... active VALUE", as the file and `show map` have it.
std::string_view value_of(std::string_view lines) {
  std::string_view value;
  while (!lines.empty()) {
    const std::size_t newline = lines.find('\n');
    std::string_view line = lines.substr(0, newline);
    lines.remove_prefix(newline == std::string_view::npos ? lines.size() : newline + 1);
    const std::size_t key = line.find("active ");
    if (line.empty() || line.front() == '#' || key == std::string_view::npos) continue;
    line.remove_prefix(key + 7);
    value = line.substr(0, line.find_first_of(" \r"));
  }
  return value;
}

// One size for every value, so that a new one overwrites the old in place: one sector, written as
// a whole, and no metadata to sync, which under load takes a disk tens of milliseconds.
std::string map_content(std::string_view value) {
  return fmt::format("active {}{}", value, std::string_view("\n\n").substr(value == "green"));
}

Result<void> overwrite_durably(const fs::path& file, const std::string& content) {
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  struct stat status{};
  const bool fits =
      fd && ::fstat(fd.get(), &status) == 0 && status.st_size == static_cast<off_t>(content.size());
  if (!fits) return write_durably(file, content, 0644);
  if (::pwrite(fd.get(), content.data(), content.size(), 0) !=
          static_cast<ssize_t>(content.size()) ||
      ::fdatasync(fd.get()) != 0) {
    return io_error("cannot write", file.string(), errno);
  }
  return {};
}

}  // namespace

SwitchWords Haproxy::words() const {
  return {
      "HAProxy", "HAProxy's map",
      "HAProxy was started and does not answer on its runtime socket; see the log of the haproxy "
      "container (is a port taken?)"};
}

Result<void> Haproxy::check_entrance(const Services& services) {
  return check_entrance_ports(config_, services);
}

Result<std::string> Haproxy::ask(const std::string& command) const {
  return ask_haproxy(config_.state_directory / "proxy" / "run" / "haproxy.sock", command);
}

fs::path Haproxy::map_file() const {
  return config_.state_directory / "proxy" / "map" / "active.map";
}

Result<void> Haproxy::prepare() {
  const fs::path proxy = config_.state_directory / "proxy";
  const fs::path run = proxy / "run";
  for (const auto& [folder, mode] :
       {std::pair<fs::path, mode_t>{proxy, 0755}, {proxy / "map", 0755}, {run, 0775}}) {
    if (auto made = make_directory(folder, mode); !made) return made;
  }
  // Root without its capabilities may write there as the owner, HAProxy's user by its group.
  if (::chown(run.c_str(), 0, proxy_user) != 0 && ::geteuid() == 0) {
    return io_error("cannot give HAProxy its folder", run.string(), errno);
  }
  if (fs::exists(map_file())) {
    // HAProxy's user reads it, whatever umask it was once written with.
    if (::chmod(map_file().c_str(), 0644) == 0) return {};
    return io_error("cannot set the mode of", map_file().string(), errno);
  }
  return write_durably(map_file(), map_content("none"), 0644);
}

Result<void> Haproxy::bring_up(const Services& services, std::stop_token stop) {
  const fs::path proxy = config_.state_directory / "proxy";
  // One that was stopped comes back as it was made, whatever was configured since, and a disk that
  // is full does not keep it down.
  if (fs::exists(proxy / "haproxy.cfg")) {
    const auto started = container_.start_again();
    if (!started) return started.error();
    if (*started) return {};
  }
  fs::path compose_file = config_.compose_file;
  if (compose_file.empty()) {
    compose_file = proxy / "compose.yml";
    const bool as_root = is_reached_on_low_port(config_, services.blue) ||
                         is_reached_on_low_port(config_, services.green);
    auto written = write_durably(compose_file, compose_of_haproxy(config_, as_root), 0600);
    if (!written) return written;
  }
  // Read by HAProxy's own user.
  auto written = write_durably(proxy / "haproxy.cfg", haproxy_file(config_, services), 0644);
  if (!written) return written;
  auto noted = write_durably(made_from(), to_json_text(making_of(config_)), 0600);
  if (!noted) return noted;
  return container_.make(compose_file, std::move(stop));
}

fs::path Haproxy::made_from() const {
  return config_.state_directory / "proxy" / "read-from";
}

Result<void> Haproxy::check_current() {
  const auto noted = read_file(made_from(), 65536);
  // Nothing is known of one that was made by earlier tools.
  if (!noted) return {};
  const std::string changed = differences(parse_making(*noted), making_of(config_));
  if (changed.empty()) return {};
  return Error{ErrorKind::failed,
               fmt::format("HAProxy was made with another {}, and a deploy never changes one that "
                           "runs",
                           changed),
               made_anew()};
}

std::string Haproxy::made_anew() const {
  return fmt::format(
      "remove HAProxy (docker rm -f {}-haproxy, which ends what is connected) and run "
      "this again, which makes it anew{}",
      config_.project,
      config_.haproxy_config.empty() ? ""
                                     : ", after " + config_.haproxy_config.string() + " has it");
}

Result<void> Haproxy::check_routes(Colour colour, const service::Service& service) {
  const auto servers = routes();
  if (!servers) return servers.error();
  const std::string address = address_of(config_, colour);
  const std::string anew = made_anew();
  for (const std::uint16_t port : ports_of(service)) {
    if (!has_server(*servers, address, port)) {
      return Error{ErrorKind::failed,
                   fmt::format("HAProxy, as it runs, has no server {}:{} for port {} of {}",
                               address, port, port, service.name),
                   anew};
    }
    if (!somebody_listens(config_.published(port))) {
      return Error{ErrorKind::failed,
                   fmt::format("port {} of {} is to be published on {}, and nobody listens there",
                               port, service.name, config_.published(port)),
                   anew};
    }
  }
  return {};
}

Result<std::vector<Server>> Haproxy::routes() const {
  auto answer = ask("show servers state");
  if (!answer) return answer.error();
  return parse_servers(*answer);
}

Result<Counted> Haproxy::counted(Colour colour) const {
  auto servers = routes();
  if (!servers) return servers.error();
  auto statistics = ask("show stat");
  if (!statistics) return statistics.error();
  return count(*statistics, backends_of(*servers, address_of(config_, colour)));
}

Result<std::optional<std::uint64_t>> Haproxy::sessions(Colour colour) {
  auto found = counted(colour);
  if (!found) return found.error();
  return std::optional(found->sessions);
}

Result<Totals> Haproxy::totals(Colour colour) {
  auto found = counted(colour);
  if (!found) return found.error();
  return found->totals;
}

Result<std::optional<Colour>> Haproxy::active_in_process() const {
  auto answer = ask(fmt::format("show map {}", map_name));
  if (!answer) return answer.error();
  return parse_value(value_of(*answer), "HAProxy's map");
}

Result<std::optional<Colour>> Haproxy::active_in_file() const {
  auto content = read_file(map_file(), 65536);
  if (!content) {
    if (content.error().kind == ErrorKind::not_found) return std::optional<Colour>{};
    return content.error();
  }
  return parse_value(value_of(*content), map_file().string());
}

bool Haproxy::running() {
  return ask(fmt::format("show map {}", map_name)).has_value();
}

Result<std::optional<Colour>> Haproxy::active() {
  auto in_process = active_in_process();
  if (in_process || in_process.error().kind != ErrorKind::unreachable) return in_process;
  return active_in_file();
}

Result<void> Haproxy::flip(Colour colour) {
  // The disk first: should HAProxy restart between the two, it comes up on the new colour, and the
  // old one still serves those that are connected.
  auto written = overwrite_durably(map_file(), map_content(to_string(colour)));
  if (!written) return written;
  auto set = ask(fmt::format("set map {} active {}", map_name, to_string(colour)));
  auto now = active_in_process();
  if (now && *now == colour) return {};
  if (now && *now) {
    (void)agree();
    return Error{ErrorKind::failed,
                 fmt::format("HAProxy kept {}: {}", to_string(**now),
                             set ? foreign_text(*set, 400) : set.error().what),
                 {}};
  }
  return Error{ErrorKind::unreachable,
               fmt::format("HAProxy's map cannot be read back: {}",
                           now ? "it names no colour" : now.error().what),
               "see the log of the haproxy container"};
}

Result<void> Haproxy::agree() {
  auto in_process = active_in_process();
  if (!in_process) return in_process.error();
  auto in_file = active_in_file();
  if (in_file && *in_file == *in_process) return {};
  return overwrite_durably(map_file(), map_content(*in_process ? to_string(**in_process) : "none"));
}

}  // namespace slipway::deploy
