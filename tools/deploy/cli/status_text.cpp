#include "deploy/cli/status_text.hpp"

#include "base/json.hpp"
#include "deploy/model/plan_json.hpp"
#include "deploy/model/report.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

Json colour_json(const std::optional<ColourStatus>& status) {
  if (!status) return nullptr;
  Json side = to_json(status->release);
  side["colour"] = to_string(status->colour);
  side["started"] = status->started;
  side["restarts"] = status->restarts;
  side["healthy"] = status->healthy;
  side["role"] = status->role;
  side["ready"] = status->ready;
  if (status->objection) side["objection"] = *status->objection;
  return side;
}

std::string_view word_for(const ColourStatus& status) {
  if (!status.started) return "stopped";
  return status.role.empty() ? "runs" : std::string_view(status.role);
}

// Why what should serve does not, as running_line() has it; empty where it does.
std::string why_not_serving(const HostStatus& status) {
  if (status.healthy() || !status.running) return "";
  const ColourStatus& named = *status.running;
  if (!named.started) return "does not run";
  if (named.objection) return "does not answer as it should: " + *named.objection;
  if (!status.switch_running) return "is not reached: the switch does not run";
  return "is not ready";
}

Json open_json(const std::optional<OpenTransaction>& open) {
  if (!open) return nullptr;
  return {{"transaction", open->id},
          {"step", to_string(open->tail.at.step)},
          {"attempts", open->tail.attempts},
          {"plan", to_json(open->plan)}};
}

Json holder_json(const std::optional<LockOwner>& holder) {
  if (!holder) return nullptr;
  return {{"pid", holder->pid},
          {"operation", holder->operation},
          {"actor", holder->actor},
          {"since", holder->since},
          {"step", holder->step}};
}

std::string line(const Json& document) {
  return to_text(document) + "\n";
}

}  // namespace

std::string status_json(const HostStatus& status, const std::optional<LockOwner>& holder) {
  Json proven = Json::array();
  for (const Release& release : status.proven) proven.push_back(to_json(release));
  return line({{"schemaVersion", 1},
               {"proxyRunning", status.switch_running},
               {"running", colour_json(status.running)},
               {"standby", colour_json(status.standby)},
               {"healthy", status.healthy()},
               {"open", open_json(status.open)},
               {"proven", proven},
               {"lock", holder_json(holder)}});
}

std::string status_lines(const HostStatus& status, const std::optional<LockOwner>& holder) {
  std::string text = fmt::format("in progress: {}\n", holder ? holder->describe() : "nothing");
  if (!holder && status.open) {
    text += fmt::format("cut short: transaction {}; run 'rollback --resume'\n", status.open->id);
  }
  for (const Release& release : status.proven) {
    text += fmt::format("proven: {}\n", release.describe());
  }
  if (const auto& standby = status.standby) {
    text += fmt::format("standby: {} ({}, {})\n", standby->release.describe(),
                        to_string(standby->colour), word_for(*standby));
  }
  text += fmt::format("healthy: {}\n", status.healthy() ? "yes" : "no");
  std::optional<Release> release;
  std::string colour;
  if (status.running) {
    release = status.running->release;
    colour = to_string(status.running->colour);
  }
  return text + running_line(release, colour, why_not_serving(status)) + "\n";
}

std::string history_json(const std::vector<HistoryEntry>& history) {
  Json list = Json::array();
  for (const HistoryEntry& entry : history) {
    list.push_back({{"transaction", entry.transaction},
                    {"time", entry.time},
                    {"operation", entry.operation},
                    {"actor", entry.actor},
                    {"reason", entry.reason},
                    {"target", entry.target},
                    {"from", entry.from},
                    {"exitCode", entry.exit_code}});
  }
  return line(list);
}

std::string history_lines(const std::vector<HistoryEntry>& history) {
  std::string text;
  for (const HistoryEntry& entry : history) {
    text +=
        fmt::format("{}  {:<8} exit {:<3} {}{}  by {}{}\n", entry.time, entry.operation,
                    entry.exit_code, entry.target, entry.from.empty() ? "" : " from " + entry.from,
                    entry.actor, entry.reason.empty() ? "" : ": " + entry.reason);
  }
  return text;
}

}  // namespace slipway::deploy
