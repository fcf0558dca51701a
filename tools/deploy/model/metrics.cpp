#include "deploy/model/metrics.hpp"

#include "base/foreign_text.hpp"
#include "base/units.hpp"
#include "net/prometheus_text.hpp"

#include <array>
#include <map>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

using Labels = std::map<std::string, std::string>;

// The last operation of a kind.
struct Last {
  int exit_code = 0;
  double ended_s = 0;
  double seconds = 0;
  std::map<std::string, double> steps;
};
using LastByOperation = std::map<std::string, Last>;

// Series that exist before they count, so that the first of its kind is an increase.
constexpr std::array operations{"deploy", "rollback"};
constexpr std::array counted{ExitCode::done,        ExitCode::failed,      ExitCode::rolled_back,
                             ExitCode::needs_human, ExitCode::unavailable, ExitCode::interrupted};

double seconds_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

Last last_of(const HistoryEntry& entry) {
  const auto ended = parse_utc(entry.time);
  Last last{entry.exit_code, ended ? seconds_of(*ended) : 0, entry.seconds(), {}};
  // A step that a resume did again took both times.
  for (const Performed& step : entry.steps) {
    last.steps[std::string(to_string(step.step))] += step.seconds;
  }
  return last;
}

LastByOperation last_operations(const Told& told) {
  LastByOperation last;
  if (told.ledger != nullptr) {
    for (const HistoryEntry& entry : told.ledger->history()) last[entry.operation] = last_of(entry);
  }
  const Report& report = told.report;
  // A resume that changed nothing has no records, and an unreadable journal none at all.
  if (told.ledger == nullptr || report.operation == "resume") {
    last[report.operation] = {
        static_cast<int>(report.exit_code), seconds_of(told.now), report.seconds, {}};
  }
  return last;
}

class Page {
 public:
  explicit Page(std::string project) : project_(std::move(project)) {}

  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += net::family_head(name, type, help);
  }
  void sample(Labels labels, const std::string& value) {
    labels["project"] = project_;
    text_ +=
        fmt::format("{} {}\n", to_string(net::MetricSelector{name_, std::move(labels)}), value);
  }
  const std::string& text() const { return text_; }

 private:
  std::string project_;
  std::string name_;
  std::string text_;
};

void tell_counts(Page& page, const Ledger& ledger) {
  page.family("slipway_operations_total", "counter",
              "Operations by what came of them, since the journal began.");
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
  for (const char* operation : operations) {
    for (const ExitCode code : counted) counts[{operation, std::string(outcome(code))}] = 0;
  }
  for (const auto& [what, count] : ledger.outcomes()) {
    const ExitCode code = static_cast<ExitCode>(what.second);
    counts[{what.first, std::string(outcome(code))}] += count;
  }
  for (const auto& [what, count] : counts) {
    page.sample({{"operation", what.first}, {"outcome", what.second}}, std::to_string(count));
  }
}

void tell_last(Page& page, const LastByOperation& last) {
  page.family("slipway_operation_exit_status", "gauge",
              "Exit status of the last operation of its kind; 0: done.");
  for (const auto& [operation, one] : last) {
    page.sample({{"operation", operation}}, std::to_string(one.exit_code));
  }
  page.family("slipway_operation_end_timestamp_seconds", "gauge",
              "When the last operation of its kind ended, since the epoch.");
  for (const auto& [operation, one] : last) {
    page.sample({{"operation", operation}}, fmt::format("{:.3f}", one.ended_s));
  }
  page.family("slipway_operation_duration_seconds", "gauge",
              "How long the last operation of its kind took.");
  for (const auto& [operation, one] : last) {
    page.sample({{"operation", operation}}, fmt::format("{:.3f}", one.seconds));
  }
  page.family("slipway_operation_step_duration_seconds", "gauge",
              "How long each step of the last operation of its kind took.");
  for (const auto& [operation, one] : last) {
    for (const auto& [step, seconds] : one.steps) {
      page.sample({{"operation", operation}, {"step", step}}, fmt::format("{:.3f}", seconds));
    }
  }
}

void tell_serving(Page& page, const Report& report) {
  page.family("slipway_release_info", "gauge", "What should serve; always 1.");
  if (const auto& running = report.running; running && !running->empty()) {
    page.sample({{"colour", report.running_colour},
                 {"digest", foreign_line(running->digest, 100)},
                 {"version", foreign_line(running->version, 100)},
                 {"revision", foreign_line(running->revision, 100)}},
                "1");
  }
  if (!report.serves) return;
  page.family("slipway_serving", "gauge",
              "1 where what should serve answered when this was written, else 0.");
  page.sample({}, *report.serves ? "1" : "0");
}

}  // namespace

std::string metrics_text(const Told& told) {
  Page page(told.project);
  if (told.ledger != nullptr) tell_counts(page, *told.ledger);
  tell_last(page, last_operations(told));
  tell_serving(page, told.report);
  page.family("slipway_report_timestamp_seconds", "gauge",
              "When this was written, since the epoch.");
  page.sample({}, fmt::format("{:.3f}", seconds_of(told.now)));
  return page.text();
}

}  // namespace slipway::deploy
