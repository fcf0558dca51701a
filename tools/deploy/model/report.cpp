#include "deploy/model/report.hpp"

#include "base/foreign_text.hpp"
#include "base/json.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

Json side(const std::optional<Release>& release) {
  if (!release || release->empty()) return nullptr;
  return {{"digest", release->digest},
          {"tag", release->tag},
          {"version", release->version},
          {"revision", release->revision},
          {"repository", release->repository}};
}

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string seconds_text(const std::optional<double>& seconds) {
  return seconds ? fmt::format("{:.3f} s", *seconds) : std::string("-");
}

Json to_json(const Report& report) {
  Json steps = Json::array();
  for (const StepReport& step : report.steps) {
    steps.push_back({{"name", step.name},
                     {"outcome", step.event},
                     {"atSeconds", step.at_s},
                     {"seconds", step.seconds},
                     {"detail", step.detail}});
  }
  Json running = side(report.running);
  if (!running.is_null()) running["colour"] = report.running_colour;
  return {{"schemaVersion", 1},
          {"operation", report.operation},
          {"transaction", report.transaction},
          {"actor", report.actor},
          {"reason", report.reason},
          {"started", report.started},
          {"seconds", report.seconds},
          {"outcome", outcome(report.exit_code)},
          {"exitCode", static_cast<int>(report.exit_code)},
          {"message", report.message},
          {"nextStep", report.next_step},
          {"from", side(report.from)},
          {"to", side(report.to)},
          {"running", running},
          {"serves", or_null(report.serves)},
          {"warm", report.warm},
          {"secondsToHealthy", or_null(report.seconds_to_healthy)},
          {"secondsOfFlip", or_null(report.seconds_of_flip)},
          {"secondsToSwitched", or_null(report.seconds_to_switched)},
          {"secondsWithoutService", or_null(report.seconds_without_service)},
          {"steps", steps},
          {"warnings", report.warnings}};
}

}  // namespace

std::string to_json_text(const Report& report, int indent) {
  return to_text(to_json(report), indent);
}

std::string to_markdown(const Report& report) {
  std::string text = fmt::format("### {}: {} (exit {})\n\n", report.operation,
                                 outcome(report.exit_code), static_cast<int>(report.exit_code));
  text += report.message + "\n\n| | |\n|---|---|\n";
  const auto row = [&](std::string_view name, const std::string& value) {
    text += fmt::format("| {} | {} |\n", name, value);
  };
  row("running now", report.running
                         ? fmt::format("`{}`{}", report.running->describe(),
                                       report.serves == false ? ", which does not answer" : "")
                     : report.serves ? "nothing"
                                     : "unknown");
  row("from", report.from ? fmt::format("`{}`", report.from->describe()) : "-");
  row("to", report.to ? fmt::format("`{}`", report.to->describe()) : "-");
  row("to healthy", seconds_text(report.seconds_to_healthy));
  row("flip", seconds_text(report.seconds_of_flip));
  row("command to switched", seconds_text(report.seconds_to_switched));
  if (report.seconds_without_service) {
    row("without service", seconds_text(report.seconds_without_service));
  }
  row("asked by", report.actor);
  if (!report.next_step.empty()) row("next", report.next_step);
  text += "\n| step | outcome | seconds | detail |\n|---|---|---|---|\n";
  for (const StepReport& step : report.steps) {
    std::string detail = step.detail;
    for (char& c : detail) {
      if (c == '\n' || c == '|') c = ' ';
    }
    text += fmt::format("| {} | {} | {:.3f} | {} |\n", step.name, step.event, step.seconds, detail);
  }
  return text;
}

std::string meaning(const Report& report) {
  if (report.exit_code == ExitCode::rolled_back && report.serves == false) {
    return "failed and taken back; nothing serves, as before";
  }
  if (report.exit_code == ExitCode::needs_human && report.serves) {
    return *report.serves ? "a way back failed, a human is needed; what the last line names serves"
                          : "nothing that answers serves: a human is needed";
  }
  if (report.exit_code != ExitCode::failed) return std::string(meaning(report.exit_code));
  if (!report.serves) return "failed; what serves now cannot be seen from here";
  if (*report.serves) return "failed, nothing changed for users: what served before still serves";
  return report.running ? "failed; what runs does not answer" : "failed; nothing serves yet";
}

std::string running_line(const Report& report) {
  if (!report.running && !report.serves) return "running: unknown";
  return running_line(report.running, report.running_colour,
                      report.serves == false ? "does not answer" : "");
}

std::string running_line(const std::optional<Release>& running, const std::string& colour,
                         const std::string& why_not) {
  if (!running || running->empty()) return "running: nothing";
  const std::string name =
      foreign_line(running->version.empty() ? running->tag : running->version, 200);
  const std::string what =
      fmt::format("{} ({}{}{})", running->digest, name, name.empty() ? "" : ", ", colour);
  if (why_not.empty()) return "running: " + what;
  return fmt::format("running: nothing that serves; {} should, and {}", what, why_not);
}

}  // namespace slipway::deploy
