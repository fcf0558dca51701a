#pragma once

// The work goes on where the caller's session ends: a worker in a session of its own holds the
// lock and does it, the caller only follows and returns the worker's exit status.

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "deploy/ports/store.hpp"

#include <filesystem>
#include <memory>
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
  // in two files under `directory`. It holds the lock, too, until it ends. Errors: io.
  static Result<Worker> start(const std::filesystem::path& directory,
                              const std::vector<std::string>& arguments, const Lock& lock);

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
bool follow_current(const std::filesystem::path& directory, Store& store,
                    std::optional<std::chrono::nanoseconds> timeout, std::stop_token stop);

// The whole of it: starts a worker for this process's own command line, hands the lock over,
// follows, says what became of it and returns the exit status.
int start_and_follow(const std::filesystem::path& directory, std::unique_ptr<Lock> lock,
                     const std::string& program, std::stop_token stop);

}  // namespace slipway::deploy
