#include "deploy/cli/status_text.hpp"

#include "base/foreign_text.hpp"
#include "base/json.hpp"
#include "deploy/model/exit_code.hpp"
#include "deploy/model/plan_json.hpp"
#include "deploy/model/report.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

Json colour_json(const std::optional<ColourStatus>& status) {
  if (!status) return nullptr;
  Json side = to_json(status->release);
  side["colour"] = to_string(status->colour);
  const Instance& instance = status->instance;
  side["started"] = instance.running;
  side["restarts"] = instance.restart_count;
  side["exitCode"] = instance.exit_code;
  side["ended"] = instance.ended.empty() ? Json(nullptr) : Json(instance.ended);
  side["healthy"] = status->healthy;
  side["role"] = status->role;
  side["ready"] = status->ready;
  if (status->objection) side["objection"] = *status->objection;
  return side;
}

std::string_view word_for(const ColourStatus& status) {
  if (!status.instance.running) return "stopped";
  return status.role.empty() ? "runs" : std::string_view(status.role);
}

// Why what should serve does not, as running_line() has it; empty where it does.
std::string why_not_serving(const HostStatus& status) {
  if (status.healthy() || !status.running) return "";
  const ColourStatus& named = *status.running;
  if (!named.instance.running) return "does not run: it " + death_of(named.instance);
  if (named.objection) return "does not answer as it should: " + *named.objection;
  if (!status.switch_running) return "is not reached: the switch (HAProxy) does not run";
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

std::string outcome_of(const HistoryEntry& entry) {
  return entry.ended ? std::string(outcome(static_cast<ExitCode>(entry.exit_code))) : "under way";
}

Json entry_json(const HistoryEntry& entry) {
  return {{"transaction", entry.transaction},
          {"time", entry.time},
          {"operation", entry.operation},
          {"actor", entry.actor},
          {"reason", entry.reason},
          {"target", entry.target},
          {"from", entry.from},
          {"exitCode", entry.ended ? Json(entry.exit_code) : Json(nullptr)},
          {"outcome", outcome_of(entry)},
          {"message", entry.message},
          {"running", entry.running},
          {"resumes", entry.resumes},
          {"seconds", entry.seconds()}};
}

// "t12  2026-...  deploy  exit 4  12.3 s  v2 sha256:... from v1 sha256:...  by ci: why", and, where
// it did not succeed or nobody but itself knows what it did, a line with that.
std::string entry_line(const HistoryEntry& entry) {
  std::string text =
      fmt::format("{:<6} {}  {:<8} {:<8} {:7.1f} s  {}{}  by {}{}\n", entry.transaction, entry.time,
                  entry.operation, entry.ended ? fmt::format("exit {}", entry.exit_code) : "open",
                  entry.seconds(), foreign_line(entry.target, 300),
                  entry.from.empty() ? "" : " from " + foreign_line(entry.from, 300),
                  foreign_line(entry.actor, 200),
                  entry.reason.empty() ? "" : ": " + foreign_line(entry.reason, 500));
  if (entry.ended && (entry.exit_code != 0 || entry.operation == "resume")) {
    text += fmt::format("       {}: {}\n", outcome_of(entry), foreign_line(entry.message, 600));
  }
  if (entry.resumes > 0) {
    text += fmt::format("       cut short, and resumed{}\n",
                        entry.resumes == 1 ? "" : fmt::format(" {} times", entry.resumes));
  }
  return text;
}

std::string line(const Json& document) {
  return to_text(document) + "\n";
}

}  // namespace

std::string status_json(const HostStatus& status, const std::optional<LockOwner>& holder) {
  Json proven = Json::array();
  for (const Release& release : status.proven) {
    proven.push_back(to_json(release));
    proven.back()["here"] = status.is_here(release);
  }
  return line({{"schemaVersion", 1},
               {"proxyRunning", status.switch_running},
               {"running", colour_json(status.running)},
               {"standby", colour_json(status.standby)},
               {"healthy", status.healthy()},
               {"open", open_json(status.open)},
               {"last", status.last ? entry_json(*status.last) : Json(nullptr)},
               {"proven", proven},
               {"lock", holder_json(holder)}});
}

std::string status_lines(const HostStatus& status, const std::optional<LockOwner>& holder) {
  std::string text = fmt::format("in progress: {}\n", holder ? holder->describe() : "nothing");
  if (!holder && status.open) {
    text += fmt::format("cut short: transaction {}; run 'rollback --resume'\n", status.open->id);
  }
  if (status.last) text += "last: " + entry_line(*status.last);
  for (const Release& release : status.proven) {
    text += fmt::format("proven: {}{}\n", release.describe(),
                        status.is_here(release)
                            ? ""
                            : " (its image is gone from this host: only with the registry)");
  }
  if (const auto& standby = status.standby) {
    text += fmt::format("standby: {} ({}, {})\n", standby->release.describe(),
                        to_string(standby->colour), word_for(*standby));
  }
  if (status.running && status.running->instance.restart_count > 0) {
    const Instance& instance = status.running->instance;
    text += fmt::format("restarts: {} since it was deployed{}{}\n", instance.restart_count,
                        instance.ended.empty() ? "" : "; it last ended at ", instance.ended);
  }
  text += fmt::format("healthy: {}\n", status.healthy() ? "yes" : "no");
  if (!holder && status.running && !status.healthy()) {
    text +=
        "next: 'rollback --resume' starts again what does not run, same version; 'rollback' goes "
        "to "
        "the version before\n";
  }
  if (!holder && !status.running && !status.proven.empty()) {
    text += fmt::format("next: 'rollback {}' starts anew what served last, and is gone\n",
                        status.proven.front().digest);
  }
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
  for (const HistoryEntry& entry : history) list.push_back(entry_json(entry));
  return line(list);
}

std::string history_lines(const std::vector<HistoryEntry>& history, std::uint64_t forgotten) {
  std::string text;
  if (forgotten > 0) {
    text += fmt::format("{} earlier operations are not in the journal any more\n", forgotten);
  }
  for (const HistoryEntry& entry : history) text += entry_line(entry);
  return text;
}

std::string operation_json(const HistoryEntry& entry, bool words) {
  Json json = entry_json(entry);
  json["schemaVersion"] = 1;
  json["steps"] = Json::array();
  for (const Performed& step : entry.steps) {
    json["steps"].push_back({{"name", to_string(step.step)},
                             {"outcome", to_string(step.event)},
                             {"seconds", step.seconds},
                             {"detail", step.detail},
                             {"lastWords", words ? step.said : ""}});
  }
  return line(json);
}

std::string operation_lines(const HistoryEntry& entry, bool words) {
  std::string text = entry_line(entry);
  for (const Performed& step : entry.steps) {
    text += fmt::format("  {:<9} {:8.3f} s  {}{}{}\n", to_string(step.step), step.seconds,
                        to_string(step.event), step.detail.empty() ? "" : ": ",
                        foreign_line(step.detail, 3000));
    if (step.said.empty()) continue;
    text += words ? "    its last words:\n" : "    its last words are shown to root on the host\n";
    const std::string_view all = step.said;  // a view of a copy would outlive it
    for (std::string_view said = words ? all : ""; !said.empty();) {
      const std::string_view one = said.substr(0, said.find('\n'));
      text += fmt::format("    | {}\n", foreign_line(one, 3000));
      said.remove_prefix(std::min(said.size(), one.size() + 1));
    }
  }
  return text;
}

}  // namespace slipway::deploy
