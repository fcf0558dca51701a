#include "deploy/cli/flags.hpp"

#include "base/build_info.hpp"
#include "base/foreign_text.hpp"
#include "base/units.hpp"
#include "deploy/model/exit_code.hpp"
#include "deploy/model/release.hpp"

#include <fmt/core.h>

namespace slipway::deploy {

void declare_options(Flags& command, Options& options, Action tool) {
  options.action = tool;
  command.version(std::string(build_info().version) + " " + std::string(build_info().revision));
  command.footer(exit_code_help());
  if (tool == Action::deploy) {
    command.add("IMAGE", options.target, "the image to roll forward to: REPOSITORY[:TAG|@DIGEST]");
    command.add("--migrate-config", options.migrate_config,
                "instead: make slipway.yml and deploy.json of a configuration of before there was "
                "slipway.yml; touches no container");
    command.add("--print-access", options.print_access).group("");
  } else {
    command.add("TARGET", options.target,
                "the version to go back to, by tag, version or digest; without it the last one "
                "proven healthy");
    command.add("--status", options.status, "say what runs and what is going on; changes nothing");
    command.add("--history", options.history,
                "list past operations: what came of each, and why; changes nothing");
    command.add(
        "--show", options.show,
        "all that is known of this operation, named as --history and --status name it: each "
        "step, and the last words of what failed");
    command.add("--resume", options.resume,
                "finish what was cut short, and start again what should serve and does not run; "
                "changes nothing where there is neither");
  }
  command.add("--dry-run", options.dry_run, "say what would be done; changes nothing");
  command.add("--json", options.json, "the result as one line of JSON on stdout");
  const std::string waits =
      "while another operation is going on, queue behind it for at most --timeout; without --wait "
      "that is status 6 at once";
  command.add("--wait", options.wait,
              tool == Action::deploy
                  ? waits
                  : waits + ". With --status: follow that operation to its end instead");
  command.add("--timeout", options.timeout_text,
              "at most this long to queue with --wait (default 10m), and again for the new version "
              "to prove itself (its slipway.yml may allow less)");
  command.add("--config", options.config_file, "the host's configuration").show_default();
  command.add("--reason", options.reason, "why, for the audit log");
  command.add("--report", options.report_file, "also write the report here: FILE.json or FILE.md");
  // deploy runs with the configuration of today in any case.
  Flag image_only = command.add(
      "--image-only", options.image_only,
      "run the image with the configuration of today, not with the one it was proven with");
  if (tool == Action::deploy) image_only.group("");
  command.add("--force", options.force,
              tool == Action::deploy ? "deploy again what runs already"
                                     : "go back even where the running version's label forbids it");
  command.add("--break-lock", options.break_lock,
              "end the process that holds the lock, for this reason, which is recorded");
  command.add("--worker-lock-fd", options.worker_lock).group("");
}

std::optional<std::string> settle_options(Options& options) {
  if (options.action == Action::rollback) {
    const bool show = !options.show.empty();
    const int chosen = options.status + options.history + options.resume + show;
    if (chosen > 1) return "--status, --history, --show and --resume exclude each other; give one";
    if (chosen == 1 && !options.target.empty()) {
      return fmt::format(
          "'{}' makes no sense here; give either a target or one of --status, "
          "--history, --show, --resume",
          options.target);
    }
    if (options.status) options.action = Action::status;
    if (options.history) options.action = Action::history;
    if (show) options.action = Action::show;
    if (options.resume) options.action = Action::resume;
  } else if (options.print_access) {
    return std::nullopt;
  } else if (options.migrate_config) {
    if (!options.target.empty()) return "--migrate-config takes no IMAGE; give one of them";
  } else if (options.target.empty()) {
    return "IMAGE is missing; name the image to roll forward to: REPOSITORY[:TAG|@DIGEST]";
  } else if (auto reference = parse_reference(options.target); !reference) {
    return reference.error().text();
  }
  options.target = foreign_line(options.target, 400);
  options.reason = foreign_line(options.reason, 500);
  options.break_lock = foreign_line(options.break_lock, 500);
  if (!options.timeout_text.empty()) {
    const auto timeout = parse_duration(options.timeout_text);
    if (!timeout) return "--timeout: " + timeout.error().text();
    options.timeout = *timeout;
  }
  return std::nullopt;
}

}  // namespace slipway::deploy
