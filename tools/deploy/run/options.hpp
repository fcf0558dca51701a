#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace slipway::deploy {

enum class Action { deploy, rollback, status, history, show, resume };

// What the command line asked for.
struct Options {
  Action action = Action::deploy;
  std::string target;  // an image reference, or for rollback a tag or digest, or empty
  std::string config_file = "/etc/slipway/deploy.json";
  bool status = false;
  bool history = false;
  bool resume = false;
  std::string show;  // the operation to tell all of
  bool dry_run = false;
  bool json = false;
  bool wait = false;
  std::string timeout_text;
  std::optional<std::chrono::nanoseconds> timeout;
  std::string reason;
  std::string report_file;
  std::string break_lock;  // why
  bool image_only = false;
  bool force = false;
  bool migrate_config = false;
  bool print_access = false;
  std::string worker_lock;  // Lock::handle(), for the worker that the command starts

  bool read_only() const {
    return dry_run || action == Action::status || action == Action::history ||
           action == Action::show;
  }
};

}  // namespace slipway::deploy
