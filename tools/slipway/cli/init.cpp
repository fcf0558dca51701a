#include "slipway/cli/init.hpp"

#include "base/durable_file.hpp"
#include "service/read_service.hpp"
#include "slipway/cli/draft.hpp"
#include "slipway/cli/repository.hpp"

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

int check(const fs::path& folder, const service::Service& service) {
  Checklist list;
  std::error_code ignored;
  const bool pinned = service.image.find("@sha256:") != std::string::npos;
  list.add(true, fmt::format("slipway.yml describes {}, port {}", service.name, service.port), "");
  if (pinned) {
    list.add(true, "an image that is built elsewhere: " + service.image, "");
  } else {
    list.add(fs::exists(folder / "Dockerfile", ignored), "Dockerfile",
             "Dockerfile, or 'image' with a digest in slipway.yml");
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
  flags.add("--check", check_, "write nothing; say what is missing");
}

int InitCommand::run() const {
  const fs::path folder = fs::absolute(folder_).lexically_normal();
  const fs::path file = folder / "slipway.yml";
  const service::Defaults defaults = defaults_of(folder);
  std::error_code ignored;
  if (!check_ && !fs::exists(file, ignored)) {
    const auto dockerfile = read_file(folder / "Dockerfile", largest_dockerfile);
    const DockerfileFacts facts = facts_of(dockerfile ? *dockerfile : std::string());
    if (auto written = write_durably(file, draft_of(defaults, facts), 0644); !written) {
      print_error("slipway", written.error().text());
      return exit_usage;
    }
    std::cout << fmt::format("wrote {}\n", file.string());
  }
  const auto service = service::read_service(file, defaults);
  if (!service) {
    print_error("slipway", service.error().text());
    return exit_usage;
  }
  const int status = check(folder, *service);
  return check_ ? status : exit_ok;
}

}  // namespace slipway::front
