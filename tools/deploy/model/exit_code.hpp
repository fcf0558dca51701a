#pragma once

#include <string>
#include <string_view>

namespace slipway::deploy {

// Exit statuses of deploy and rollback: a contract with scripts, workflows and operators.
enum class ExitCode {
  done = 0,
  usage = 2,
  failed = 3,
  rolled_back = 4,
  needs_human = 5,
  locked = 6,
  unavailable = 7,
  ambiguous = 8,
  not_serving = 9,
  interrupted = 130,
};

// What the status means, e.g. "failed and rolled back".
std::string_view meaning(ExitCode code);

// One word for reports, e.g. "rolled-back".
std::string_view outcome(ExitCode code);

// The table for --help.
std::string exit_code_help();

}  // namespace slipway::deploy
