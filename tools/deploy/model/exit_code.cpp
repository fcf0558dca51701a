#include "deploy/model/exit_code.hpp"

#include <array>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

struct Row {
  ExitCode code;
  std::string_view outcome;
  std::string_view meaning;
};

constexpr std::array rows{
    Row{ExitCode::done, "done", "done"},
    Row{ExitCode::usage, "usage",
        "the command line or the host's configuration is wrong, nothing touched"},
    Row{ExitCode::failed, "failed",
        "failed, nothing changed for users: what served before still serves"},
    Row{ExitCode::rolled_back, "rolled-back", "failed and rolled back"},
    Row{ExitCode::needs_human, "needs-human",
        "a way back failed, or nothing serves: a human is needed"},
    Row{ExitCode::locked, "locked", "another operation holds the lock"},
    Row{ExitCode::unavailable, "unavailable", "the target is not available, nothing touched"},
    Row{ExitCode::ambiguous, "ambiguous", "state unreadable or ambiguous, nothing touched"},
    Row{ExitCode::not_serving, "not-serving",
        "what should serve does not answer; only where just that was asked"},
    Row{ExitCode::interrupted, "interrupted", "interrupted"},
};

const Row& row(ExitCode code) {
  for (const Row& candidate : rows) {
    if (candidate.code == code) return candidate;
  }
  return rows[4];
}

}  // namespace

std::string_view meaning(ExitCode code) {
  return row(code).meaning;
}

std::string_view outcome(ExitCode code) {
  return row(code).outcome;
}

std::string exit_code_help() {
  std::string text = "Exit status:\n";
  for (const Row& entry : rows) {
    text += fmt::format("  {:>3}  {}\n", static_cast<int>(entry.code), entry.meaning);
  }
  return text;
}

}  // namespace slipway::deploy
