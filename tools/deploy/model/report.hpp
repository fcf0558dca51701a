#pragma once

#include "deploy/model/exit_code.hpp"
#include "deploy/model/plan.hpp"

#include <optional>
#include <string>
#include <vector>

namespace slipway::deploy {

struct StepReport {
  std::string name;
  std::string event;
  double at_s = 0;  // since the command began
  double seconds = 0;
  std::string detail;
};

// What an operation did. Becomes JSON (schemaVersion 1), Markdown and lines for people.
struct Report {
  std::string operation;  // deploy, rollback or resume
  std::string transaction;
  std::string actor;
  std::string reason;
  std::string started;
  double seconds = 0;
  ExitCode exit_code = ExitCode::done;
  std::string message;
  std::string next_step;
  std::optional<Release> from;
  std::optional<Release> to;
  std::optional<Release> running;  // what serves now
  std::string running_colour;
  // Whether something answered as what should serve when the report was made; nothing where that
  // could not be seen.
  std::optional<bool> serves;
  bool began_nothing = false;  // a resume that found all as it should be
  bool warm = false;
  std::optional<double> seconds_to_healthy;   // from the start of the candidate to its proof
  std::optional<double> seconds_of_flip;      // writing, setting and reading back the map
  std::optional<double> seconds_to_switched;  // from the command to new connections on the target
  // With the strategy `recreate`: from the order to stop to the first healthy answer.
  std::optional<double> seconds_without_service;
  std::vector<StepReport> steps;
  std::vector<std::string> warnings;
};

// JSON, without a newline; bytes that are not UTF-8 are replaced.
std::string to_json_text(const Report& report, int indent = -1);
std::string to_markdown(const Report& report);

// What the exit status means, as far as is known: users are told that the old version serves only
// where it was seen to.
std::string meaning(const Report& report);

// "running: sha256:... (v1.2.0, green)": the last line on stdout. Where that does not serve,
// `why_not` says why, after "should, and": "running: nothing that serves; sha256:... should, and
// ...".
std::string running_line(const Report& report);
std::string running_line(const std::optional<Release>& running, const std::string& colour,
                         const std::string& why_not);

}  // namespace slipway::deploy
