#pragma once

// The work goes on where the caller's session ends: a worker in a session of its own holds the
// lock and does it, the caller only follows and returns the worker's exit status.

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "deploy/state/lock.hpp"

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace slipway::deploy {

// What a caller that is asked to stop does with the worker.
enum class OnStop { ask, turn_back, leave };

class Worker {
 public:
  // Starts this executable again with `arguments` and "--worker-lock-fd N", detached, its output
  // in two files under `directory`. The lock goes over to it. Errors: io.
  static Result<Worker> start(const std::filesystem::path& directory,
                              const std::vector<std::string>& arguments, Lock lock);

  // Copies the worker's output to ours until it ends; its exit status as a shell says it. When a
  // stop is requested: `turn_back` sends it SIGINT and goes on following, `leave` returns nothing
  // at once, `ask` asks the person on the terminal which of the two.
  std::optional<int> follow(std::stop_token stop, OnStop on_stop);

 private:
  Worker(pid_t pid, UniqueFd out, UniqueFd err, std::filesystem::path out_path,
         std::filesystem::path err_path)
      : pid_(pid),
        out_(std::move(out)),
        err_(std::move(err)),
        out_path_(std::move(out_path)),
        err_path_(std::move(err_path)) {}

  pid_t pid_;
  UniqueFd out_;  // open as long as the paths are used: they may name memory
  UniqueFd err_;
  std::filesystem::path out_path_;
  std::filesystem::path err_path_;
};

// Copies what the current worker says (its progress) to stderr until nobody holds the lock.
void follow_current(const std::filesystem::path& directory, const std::filesystem::path& lock_file,
                    std::stop_token stop);

}  // namespace slipway::deploy
