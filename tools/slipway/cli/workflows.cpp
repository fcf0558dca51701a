#include "slipway/cli/workflows.hpp"

#include "base/durable_file.hpp"
#include "slipway/cli/installation.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace slipway::front {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view actions_of_ours[] = {"/.github/actions/deploy@",
                                                "/.github/actions/gate@"};
constexpr const char* file_names[] = {"ci.yml", "rollback.yml"};

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

bool plain(std::string_view word, std::string_view more) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [more](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

fs::path folder_in(const fs::path& repository) {
  return repository / ".github" / "workflows";
}

// A template with its repository, reference and default branch put in.
std::string filled_in(std::string text, const ActionsOf& actions, const std::string& branch) {
  replace_all(text, "OWNER/slipway/", actions.repository + "/");
  replace_all(text, "@v1\n", "@" + actions.reference + "\n");
  replace_all(text, "branches: [main]", fmt::format("branches: [{}]", branch));
  return text;
}

}  // namespace

Result<ActionsOf> parse_actions(std::string_view text) {
  const auto at = text.find('@');
  const auto repository = text.substr(0, at);
  const auto slash = repository.find('/');
  if (at == std::string_view::npos || slash == std::string_view::npos ||
      !plain(repository.substr(0, slash), "-_.") || !plain(repository.substr(slash + 1), "-_.") ||
      !plain(text.substr(at + 1), "-_./")) {
    return Error{ErrorKind::usage, fmt::format("--actions {}: not OWNER/NAME@REF", text),
                 "give the repository that has Slipway's releases, as acme/slipway@v1"};
  }
  return ActionsOf{std::string(repository), std::string(text.substr(at + 1))};
}

Result<std::vector<fs::path>> write_workflows(const fs::path& folder, const ActionsOf& actions,
                                              const std::string& branch) {
  const fs::path templates = folder_of_workflows();
  if (templates.empty()) {
    return Error{ErrorKind::usage, incomplete_installation("its workflows"), {}};
  }
  std::error_code failed;
  fs::create_directories(folder_in(folder), failed);
  if (failed) {
    return Error{ErrorKind::io,
                 fmt::format("cannot make {}: {}", folder_in(folder).string(), failed.message()),
                 {}};
  }
  std::vector<fs::path> written;
  for (const char* name : file_names) {
    const fs::path file = folder_in(folder) / name;
    if (fs::exists(file, failed)) continue;
    const auto text = read_file(templates / name);
    if (!text) return text.error();
    const auto done = write_durably(file, filled_in(*text, actions, branch), 0644);
    if (!done) return done.error();
    written.push_back(file);
  }
  return written;
}

bool has_workflows(const fs::path& folder) {
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(folder_in(folder), absent)) {
    const auto text = read_file(entry.path());
    if (!text) continue;
    for (const std::string_view action : actions_of_ours) {
      if (text->find(action) != std::string::npos) return true;
    }
  }
  return false;
}

}  // namespace slipway::front
