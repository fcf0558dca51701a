#include "deploy/cli/migration.hpp"

#include "base/durable_file.hpp"
#include "base/json.hpp"
#include "base/sha256.hpp"
#include "deploy/cli/actor.hpp"
#include "deploy/state/config.hpp"
#include "deploy/state/lock_file.hpp"
#include "service/read_service.hpp"

#include <algorithm>
#include <array>
#include <regex>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> removed_fields{"btpPort", "httpPort",     "packetCommand",
                                                         "health",  "drainTimeout", "bake"};

// The files as they were shipped: what has another hash was changed on the host.
constexpr std::array<std::string_view, 6> shipped{
    "5d8c2e8dda51f38b0ea5c0f0d916d34f7da87235332ea7567e5f0b80b71488de",
    "82a89fa2738c37b5e0dd286cdceec46d0a667d98e046a11429cd6671555191fd",
    "c1a1d00fe7ece06d62a321504e7b43fb9292afef9eec94c500e7b080945ca48a",
    "c2eec9224463008edb697783fa4fb9be8f5593b73e346b16b0e8f456bf40f252",
    "7b04f5a0de736739c865e6e626a5327a767cf684c63d7532eb9cf79dd911528e",
    "afbb5cb7d0b5eecf3dcfad972b2fef5f2047276cf35bf60d0eca70dfb0ebc492"};

// One way of the service's that was never written down.
constexpr std::string_view known_ways = R"(port: 8080
tcp: [4000]
ready: /health/ready
roles: signals
volumes: { state: /var/lib/connector }
config: { connector: /etc/connector }
)";

constexpr std::string_view own_counters =
    R"(good: 'ilp_packets_total{direction="in",result="fulfilled"}', )"
    R"(bad: 'ilp_packets_total{direction="in",result="rejected"}', )"
    R"(seconds: ilp_packet_duration_seconds)";

Error usage(const std::string& what, const std::string& remedy) {
  return {ErrorKind::usage, what, remedy};
}

Result<Json> read_object(const fs::path& file) {
  auto bytes = read_file(file, std::size_t{1} << 20);
  if (!bytes) return bytes.error();
  Json object = parse_json(*bytes, true);
  if (!object.is_object()) {
    return usage(fmt::format("{} is not a JSON object", file.string()), "correct the file");
  }
  return {boost::system::in_place_value, std::move(object)};
}

fs::path with_suffix(const fs::path& file, const char* suffix) {
  return file.string() + suffix;
}

constexpr std::string_view made_by = "# By deploy --migrate-config, from deploy.json.";

// slipway.yml is written last but one: with it and an old file that is kept beside itself, a
// migration was cut short.
bool was_cut_short(const fs::path& file) {
  const auto yaml = read_file(file.parent_path() / "slipway.yml");
  const auto kept = read_file(with_suffix(file, ".before"));
  const auto now = read_file(file);
  return yaml && yaml->starts_with(made_by) && kept && now && *kept == *now;
}

bool is_old(const fs::path& file, const Json& object) {
  const bool has_removed =
      std::any_of(removed_fields.begin(), removed_fields.end(),
                  [&](std::string_view field) { return object.contains(field); });
  // One that says little goes by defaults of then: the files that were copied beside it.
  const fs::path folder = file.parent_path();
  std::error_code ignored;
  return has_removed ||
         (!object.contains("composeFile") && fs::exists(folder / "compose.yml", ignored) &&
          (!fs::exists(folder / "slipway.yml", ignored) || was_cut_short(file)));
}

// The old file as it is taken apart.
class Migration {
 public:
  Migration(fs::path file, Json old)
      : file_(std::move(file)), folder_(file_.parent_path()), old_(std::move(old)) {}

  Result<std::vector<std::string>> run();

 private:
  std::string text(const std::string& field, const std::string& otherwise) const {
    return old_.contains(field) && old_[field].is_string() ? old_[field].get<std::string>()
                                                           : otherwise;
  }
  fs::path place(const std::string& field, const std::string& otherwise) const {
    return (folder_ / text(field, otherwise)).lexically_normal();
  }
  // Whether the file is there and was changed on the host.
  bool is_own(const fs::path& file) const;
  std::string description() const;
  Json settings() const;
  Result<void> check_all(const std::string& yaml, const std::string& settings) const;
  Result<void> keep_own_compose(const fs::path& compose);
  Result<void> keep_folder(const fs::path& folder);
  Result<void> write_all(const std::string& yaml, const std::string& settings);
  Result<void> write_anew(const fs::path& file, const std::string& content, mode_t mode);
  void say(std::string line) { said_.push_back(std::move(line)); }

  fs::path file_;
  fs::path folder_;
  Json old_;
  std::string old_text_;
  mode_t mode_ = 0644;
  std::vector<std::string> said_;
};

bool Migration::is_own(const fs::path& file) const {
  const auto content = read_file(file, std::size_t{4} << 20);
  return content &&
         std::find(shipped.begin(), shipped.end(), sha256_hex(*content)) == shipped.end();
}

// A section of the new file out of one of the old: `names` are old and new.
std::string section(const std::string& name, const Json& old,
                    const std::vector<std::pair<std::string, std::string>>& names,
                    std::string members = "") {
  for (const auto& [before, now] : names) {
    if (!old.is_object() || !old.contains(before)) continue;
    if (!members.empty()) members += ", ";
    members += fmt::format("{}: {}", now, to_text(old[before]));
  }
  return members.empty() ? "" : fmt::format("{}: {{ {} }}\n", name, members);
}

std::string worse_than_before(const Json& bake) {
  std::string members;
  const auto add = [&](const std::string& member) {
    members += (members.empty() ? "" : ", ") + member;
  };
  if (!bake.is_object()) return members;
  if (bake.contains("worseRejects") && bake["worseRejects"].is_number()) {
    add(fmt::format("errors: {:g}%", bake["worseRejects"].get<double>() * 100));
  }
  if (bake.contains("worseLatency")) add("latency: " + to_text(bake["worseLatency"]));
  if (bake.contains("latencyAllowance")) add("allowance: " + to_text(bake["latencyAllowance"]));
  return members.empty() ? members : fmt::format(", worse: {{ {} }}", members);
}

std::string Migration::description() const {
  const std::string image = text("image", "");
  std::string yaml = fmt::format(
      "{} An image's own description, its label\n# io.slipway.service, comes before this one.\n",
      made_by);
  const std::string name = fs::path(image).filename().string();
  yaml += fmt::format("service: {}\n", name.empty() ? text("project", "slipway") : name);
  yaml += known_ways;
  if (!is_own(place("composeFile", "compose.yml"))) {
    const bool in_place = text("strategy", "") == "recreate";
    yaml += fmt::format("env: {{ {}CONNECTOR_CONFIG: /etc/connector/connector.json }}\n",
                        in_place ? "" : "CONNECTOR_ROLE: standby, ");
  }
  if (old_.contains("packetCommand")) {
    yaml += fmt::format("probe: {}\n", to_text(old_["packetCommand"]));
  }
  yaml += fmt::format("drain: {}\n", text("drainTimeout", "30s"));
  yaml += section("healthy", old_.value("health", Json()),
                  {{"interval", "every"},
                   {"timeout", "timeout"},
                   {"healthyInARow", "times"},
                   {"minimumHealthy", "for"},
                   {"deadline", "within"}});
  const Json bake = old_.value("bake", Json());
  yaml += section("bake", bake,
                  {{"window", "window"}, {"longest", "longest"}, {"minimumPackets", "requests"}},
                  std::string(own_counters) + worse_than_before(bake));
  return yaml;
}

Json Migration::settings() const {
  Json settings = old_;
  for (const std::string_view field : removed_fields) settings.erase(std::string(field));
  const Json btp = old_.value("btpPort", Json(4000));
  const Json http = old_.value("httpPort", Json(8080));
  if (btp != 4000) settings["ports"]["4000"] = btp;
  if (http != 8080) settings["ports"]["8080"] = http;
  bool own = false;
  for (const auto& [field, usual] :
       {std::pair<std::string, std::string>{"composeFile", "compose.yml"},
        {"haproxyConfig", "haproxy.cfg"}}) {
    settings.erase(field);
    if (!is_own(place(field, usual))) continue;
    own = true;
    settings[field] = text(field, usual);
  }
  // Files of the host, and snapshots of then, still go by these.
  if (own || settings.contains("ports")) {
    settings["variables"] = {{"SLIPWAY_BTP_PORT", to_text(btp)},
                             {"SLIPWAY_HTTP_PORT", to_text(http)}};
  }
  const fs::path folder = place("configDir", "connector");
  settings["configDir"] =
      folder.filename() == "connector" ? folder.parent_path().string() : "config";
  settings["service"] = "slipway.yml";
  return settings;
}

// What is there already, with other words, is nobody's to replace.
Result<void> refuse_other(const fs::path& file, const std::string& content) {
  const auto there = read_file(file);
  if (!there || *there == content) return {};
  return usage(fmt::format("{} is there already and says something else", file.string()),
               "move it away, and run this again");
}

Result<void> Migration::write_anew(const fs::path& file, const std::string& content, mode_t mode) {
  if (auto refused = refuse_other(file, content); !refused) return refused;
  if (read_file(file)) return {};
  if (auto written = write_durably(file, content, mode); !written) return written;
  say("wrote " + file.string());
  return {};
}

// Folders of the configuration have names of their own now.
std::string with_own_folder(const std::string& compose) {
  static const std::regex whole(R"((\$\{SLIPWAY_CONFIG_DIR[^}]*\})(?!/))");
  return std::regex_replace(compose, whole, "$1/connector");
}

Result<void> Migration::keep_own_compose(const fs::path& compose) {
  auto content = read_file(compose);
  if (!content) return content.error();
  const std::string changed = with_own_folder(*content);
  if (changed != *content) {
    auto kept = write_anew(with_suffix(compose, ".before"), *content, 0600);
    if (!kept) return kept;
    if (auto written = write_durably(compose, changed, 0644); !written) return written;
  }
  say(
      fmt::format("{} was changed on this host: it is kept as composeFile, with the folder "
                  "${{SLIPWAY_CONFIG_DIR}}/connector",
                  compose.string()));
  return {};
}

// The old folder where the new name looks for it; nothing is moved.
Result<void> Migration::keep_folder(const fs::path& folder) {
  if (folder.filename() == "connector") {
    say(fmt::format("{} stays where it is: configDir is the folder around it", folder.string()));
    return {};
  }
  std::error_code failed;
  const fs::path link = folder_ / "config" / "connector";
  fs::create_directories(link.parent_path(), failed);
  if (!fs::exists(fs::symlink_status(link))) fs::create_directory_symlink(folder, link, failed);
  if (failed) {
    return Error{
        ErrorKind::io, fmt::format("cannot make {}: {}", link.string(), failed.message()), {}};
  }
  say(fmt::format("{} stays where it is: {} leads to it", folder.string(), link.string()));
  return sync_directory(link.parent_path());
}

// All that can refuse it, before anything is written.
Result<void> Migration::check_all(const std::string& yaml, const std::string& settings) const {
  if (auto read = service::parse_service(yaml, "slipway.yml"); !read) {
    return usage(fmt::format("{} cannot be migrated: {}", file_.string(), read.error().what),
                 "correct the old field");
  }
  const fs::path trial = with_suffix(file_, ".new");
  if (auto written = write_durably(trial, settings, mode_); !written) return written;
  const auto usable = read_config(trial);
  std::error_code ignored;
  fs::remove(trial, ignored);
  if (!usable) return usable.error();
  if (auto free = refuse_other(folder_ / "slipway.yml", yaml); !free) return free;
  if (auto free = refuse_other(with_suffix(file_, ".before"), old_text_); !free) return free;
  const fs::path compose = place("composeFile", "compose.yml");
  const auto content = is_own(compose) ? read_file(compose) : Result<std::string>(std::string());
  if (!content) return content.error();
  if (with_own_folder(*content) == *content) return {};
  return refuse_other(with_suffix(compose, ".before"), *content);
}

// In this order, so that whatever stops it, it can be run again: see is_old.
Result<void> Migration::write_all(const std::string& yaml, const std::string& settings) {
  if (auto kept = write_anew(with_suffix(file_, ".before"), old_text_, mode_); !kept) return kept;
  auto described = write_anew(folder_ / "slipway.yml", yaml, 0644);
  if (!described) return described;
  if (auto written = write_durably(file_, settings, mode_); !written) return written;
  say(fmt::format("wrote {}; the old one is {}.before", file_.string(), file_.string()));
  return {};
}

Result<std::vector<std::string>> Migration::run() {
  struct stat status{};
  if (::stat(file_.c_str(), &status) == 0) mode_ = status.st_mode & 07777;
  const auto before = read_file(file_);
  if (!before) return before.error();
  old_text_ = *before;
  const std::string yaml = description();
  const Json settings = this->settings();
  const std::string new_text = to_text(settings, 2) + "\n";
  if (auto fit = check_all(yaml, new_text); !fit) return fit.error();
  if (settings.contains("composeFile")) {
    auto kept = keep_own_compose(place("composeFile", "compose.yml"));
    if (!kept) return kept.error();
  }
  const fs::path haproxy = place("haproxyConfig", "haproxy.cfg");
  if (settings.contains("haproxyConfig")) {
    say(haproxy.string() + " was changed on this host: it is kept as haproxyConfig");
  } else {
    say(haproxy.string() +
        " is read by the HAProxy that runs, when it starts again: leave it there");
  }
  if (auto kept = keep_folder(place("configDir", "connector")); !kept) return kept.error();
  if (auto written = write_all(yaml, new_text); !written) return written.error();
  return said_;
}

}  // namespace

std::optional<Error> refusal_of_old(const fs::path& file) {
  const auto object = read_object(file);
  if (!object || !is_old(fs::absolute(file), *object)) return std::nullopt;
  std::string fields;
  for (const std::string_view field : removed_fields) {
    if (object->contains(field)) fields += fmt::format("{}{}", fields.empty() ? "" : ", ", field);
  }
  return usage(fmt::format("{} is of before there was slipway.yml ({})", file.string(),
                           fields.empty() ? "compose.yml lies beside it" : "it has " + fields),
               fmt::format("run 'deploy --migrate-config --config {}', which touches no container",
                           file.string()));
}

Result<std::vector<std::string>> migrate_config(const fs::path& file) {
  auto old = read_object(file);
  if (!old) return old.error();
  const fs::path whole = fs::absolute(file);
  if (!is_old(whole, *old)) {
    return std::vector<std::string>{file.string() + " is of today: there is nothing to migrate"};
  }
  const fs::path lock_file =
      whole.parent_path() / old->value("stateDir", std::string("/var/lib/slipway")) / "lock";
  std::error_code ignored;
  if (!fs::exists(lock_file.parent_path(), ignored)) return Migration(whole, *old).run();
  const auto lock =
      LockFile::acquire(lock_file, {::getpid(), "deploy --migrate-config", actor_name(), "", ""});
  if (!lock) return lock.error();
  return Migration(whole, *old).run();
}

}  // namespace slipway::deploy
