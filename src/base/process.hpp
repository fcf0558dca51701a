#pragma once

#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <sys/types.h>
#include <vector>

namespace slipway {

using Environment = std::map<std::string, std::string>;

// The environment of this process.
Environment current_environment();

// Lets this process have as many descriptors as the kernel allows it without privileges; returns
// how many that is. Children inherit it.
std::uint64_t raise_descriptor_limit();

struct Command {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH unless it has a slash
  std::optional<Environment> environment = {};  // exactly this one; nothing: this process's own
  std::chrono::nanoseconds deadline = std::chrono::seconds(60);
  std::size_t output_limit = std::size_t{4} << 20;  // bytes kept of stdout and of stderr, each
};

struct CommandOutput {
  int exit_status = 0;  // as a shell says it: 128 + n after signal n
  std::string out;
  std::string err;
};

// Runs a command to its end with no standard input, captures both outputs (bytes over the limit
// are read and dropped, so the command never blocks on a full pipe) and reaps it. A command that
// ran and failed is a value, not an error. Errors: not_found (no such program), timeout (killed
// with its process group at the deadline), cancelled (stop requested: SIGTERM, then SIGKILL after
// 2 s), io.
Result<CommandOutput> run_command(const Command& command, std::stop_token stop = {});

// A long-running child in a process group of its own, owned: the destructor terminates and reaps
// it. However this process dies, the child is killed then (PR_SET_PDEATHSIG), but for one that
// outlives it.
class Child {
 public:
  struct Options {
    std::vector<std::string> argv;
    std::optional<Environment> environment = {};
    int input = -1;                // a descriptor that becomes its standard input; -1: none
    bool outlives_us = false;      // it sees by itself that this process is gone
    std::string output_file = {};  // stdout and stderr go there (append); empty: inherited
  };
  static Result<Child> start(const Options& options);

  Child(Child&&) noexcept;
  Child& operator=(Child&&) noexcept;
  ~Child();

  pid_t pid() const;
  // The exit status as a shell says it, or nothing while it runs.
  std::optional<int> exit_status();
  void send_signal(int number);
  // SIGTERM, wait up to `grace`, then SIGKILL; returns the exit status.
  int terminate(std::chrono::nanoseconds grace = std::chrono::seconds(5));

 private:
  struct State;
  explicit Child(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway
