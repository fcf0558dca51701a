#include "slipway/cli/init.hpp"

#include "base/durable_file.hpp"
#include "service/read_service.hpp"
#include "slipway/cli/draft.hpp"
#include "slipway/cli/repository.hpp"
#include "slipway/cli/workflows.hpp"

#include <filesystem>
#include <iostream>

#include <fmt/core.h>

namespace slipway::front {
namespace {

namespace fs = std::filesystem;

constexpr int exit_missing = 1;
constexpr std::size_t largest_dockerfile = std::size_t{1} << 20;

// What must be there, and whether it is: a line each.
class Checklist {
 public:
  void add(bool there, const std::string& what, const std::string& otherwise) {
    std::cout << (there ? "  ok       " : "  missing  ") << (there ? what : otherwise) << '\n';
    complete_ = complete_ && there;
  }
  bool complete() const { return complete_; }

 private:
  bool complete_ = true;
};

bool is_built_elsewhere(const service::Service& service) {
  return service.image.find("@sha256:") != std::string::npos;
}

int check(const fs::path& folder, const service::Service& service) {
  Checklist list;
  std::error_code ignored;
  list.add(true, fmt::format("slipway.yml describes {}, port {}", service.name, service.port), "");
  if (is_built_elsewhere(service)) {
    list.add(true, "an image that is built elsewhere: " + service.image, "");
  } else {
    list.add(fs::exists(folder / "Dockerfile", ignored), "Dockerfile",
             "Dockerfile, or 'image' with a digest in slipway.yml");
    list.add(has_workflows(folder), "workflows that use the published actions",
             "workflows: slipway init --actions OWNER/slipway@v1, with the owner of its releases");
  }
  list.add(fs::exists(folder / ".git", ignored), "a git repository: a version is a commit",
           "a git repository: git init, and a first commit");
  list.add(service.gate.rate > 0, fmt::format("a gate: {} requests/s", service.gate.rate),
           "'gate' in slipway.yml: without it nothing proves that a change is not slower");
  return list.complete() ? exit_ok : exit_missing;
}

}  // namespace

InitCommand::InitCommand(Flags& flags) {
  flags.add("FOLDER", folder_, "the service's repository").show_default();
  flags
      .add("--actions", actions_,
           "write the workflows too, with the actions of this repository at this tag or commit")
      .value_name("OWNER/NAME@REF");
  flags.add("--check", check_, "write nothing; say what is missing");
}

int InitCommand::draft(const fs::path& file, const service::Defaults& defaults) const {
  const auto dockerfile = read_file(file.parent_path() / "Dockerfile", largest_dockerfile);
  const DockerfileFacts facts = facts_of(dockerfile ? *dockerfile : std::string());
  if (auto written = write_durably(file, draft_of(defaults, facts), 0644); !written) {
    print_error("slipway", written.error().text());
    return exit_usage;
  }
  std::cout << fmt::format("wrote {}\n", file.string());
  return exit_ok;
}

int InitCommand::add_workflows(const fs::path& folder, const service::Service& service) const {
  if (is_built_elsewhere(service)) {
    print_error(
        "slipway",
        "the workflows build an image, and slipway.yml names one that is built elsewhere: " +
            service.image + "; leave --actions out");
    return exit_usage;
  }
  const auto actions = parse_actions(actions_);
  if (!actions) {
    print_error("slipway", actions.error().text());
    return exit_usage;
  }
  const auto written = write_workflows(folder, *actions, default_branch_of(folder));
  if (!written) {
    print_error("slipway", written.error().text());
    return exit_usage;
  }
  for (const fs::path& file : *written) std::cout << fmt::format("wrote {}\n", file.string());
  return exit_ok;
}

int InitCommand::run() const {
  const fs::path folder = fs::absolute(folder_).lexically_normal();
  const fs::path file = folder / "slipway.yml";
  std::error_code ignored;
  if (!check_ && !fs::exists(file, ignored)) {
    if (const int status = draft(file, defaults_of(folder))) return status;
  }
  const auto service = read_in_repository(file);
  if (!service) {
    print_error("slipway", service.error().text());
    return exit_usage;
  }
  if (!check_ && !actions_.empty()) {
    if (const int status = add_workflows(folder, *service)) return status;
  }
  const int status = check(folder, *service);
  return check_ ? status : exit_ok;
}

}  // namespace slipway::front
