// What a monitoring system is told of a host's operations.
#include "deploy/model/metrics.hpp"

#include "base/durable_file.hpp"
#include "deploy/cli/metrics_file.hpp"
#include "fake_host.hpp"
#include "net/prometheus_text.hpp"
#include "support/catch.hpp"

#include <sys/stat.h>

#include <fmt/core.h>

using namespace slipway;
using namespace slipway::test;

namespace {

// 2026-01-01T00:00:10Z.
constexpr std::chrono::system_clock::time_point now{std::chrono::seconds(1'767'225'610)};

Release version_2() {
  return {"repo", "v2", "sha256:22", "id", "rev-2", "2\"\n.0", "", "snap"};
}

// One operation that ended at 00:00:05 with this status; its steps are start and prove.
std::vector<Record> one_operation(bool rollback, int exit_code) {
  Plan plan;
  plan.rollback = rollback;
  plan.target = version_2();
  const auto at = [](std::uint64_t sequence, Entry entry) {
    return Record{sequence, "t1", "2026-01-01T00:00:05.250Z", std::move(entry)};
  };
  return {at(1, Begun{plan}), at(2, Performed{Step::start, Event::done, 1.5, ""}),
          at(3, Performed{Step::prove, Event::unproven, 2.25, ""}),
          at(4, Performed{Step::prove, Event::done, 0.25, ""}), at(5, Ended{exit_code})};
}

Report report_of(const std::string& operation, ExitCode code) {
  Report report;
  report.operation = operation;
  report.exit_code = code;
  report.seconds = 0.5;
  report.running = version_2();
  report.running_colour = "green";
  report.serves = true;
  return report;
}

std::optional<double> sample(const std::string& text, const std::string& selector) {
  const auto wanted = net::parse_selector(selector);
  REQUIRE(wanted.has_value());
  return net::sum_of(net::parse_metrics(text), wanted->name, wanted->labels);
}

}  // namespace

TEST_CASE("the page of metrics tells the last operation, its steps, and what serves", "[metrics]") {
  const Ledger ledger(one_operation(false, 4));
  const Report report = report_of("deploy", ExitCode::rolled_back);
  const std::string page = metrics_text({"shop", &ledger, report, now});
  for (const char* line :
       {"# TYPE slipway_operations_total counter\n",
        "slipway_operations_total{operation=\"deploy\",outcome=\"rolled-back\",project=\"shop\"} "
        "1\n",
        "slipway_operations_total{operation=\"rollback\",outcome=\"done\",project=\"shop\"} 0\n",
        "slipway_operation_exit_status{operation=\"deploy\",project=\"shop\"} 4\n",
        "slipway_operation_end_timestamp_seconds{operation=\"deploy\",project=\"shop\"} "
        "1767225605.250\n",
        "slipway_operation_duration_seconds{operation=\"deploy\",project=\"shop\"} 4.000\n",
        "slipway_operation_step_duration_seconds{operation=\"deploy\",project=\"shop\","
        "step=\"prove\"} 2.500\n",
        "slipway_release_info{colour=\"green\",digest=\"sha256:22\",project=\"shop\","
        "revision=\"rev-2\",version=\"2\\\" .0\"} 1\n",
        "slipway_serving{project=\"shop\"} 1\n",
        "slipway_report_timestamp_seconds{project=\"shop\"} 1767225610.000\n"}) {
    INFO(line << "is in\n" << page);
    CHECK(page.find(line) != std::string::npos);
  }
}

TEST_CASE("a resume a minute later does not take back what a deploy told", "[metrics]") {
  const Ledger ledger(one_operation(false, 4));
  const auto after_deploy =
      metrics_text({"p", &ledger, report_of("deploy", ExitCode::rolled_back), now});
  const auto after_resume = metrics_text(
      {"p", &ledger, report_of("resume", ExitCode::done), now + std::chrono::minutes(1)});
  for (const char* kept : {"slipway_operation_exit_status", "slipway_operation_duration_seconds",
                           "slipway_operation_end_timestamp_seconds", "slipway_operations_total",
                           "slipway_operation_step_duration_seconds"}) {
    INFO(kept);
    const std::string of_deploy = std::string(kept) + "{operation=\"deploy\"}";
    CHECK(sample(after_deploy, of_deploy).has_value());
    CHECK(sample(after_resume, of_deploy) == sample(after_deploy, of_deploy));
  }
  CHECK(sample(after_resume, "slipway_operation_exit_status{operation=\"resume\"}") == 0.0);
  // A deploy of what serves already changes nothing, and so does not say that all is well.
  const auto asked_again = metrics_text({"p", &ledger, report_of("deploy", ExitCode::done), now});
  CHECK(sample(asked_again, "slipway_operation_exit_status{operation=\"deploy\"}") == 4.0);
}

TEST_CASE("what could not be seen is not told, and an unreadable journal only by its status",
          "[metrics]") {
  Report report = report_of("rollback", ExitCode::ambiguous);
  report.running.reset();
  report.serves.reset();
  const std::string page = metrics_text({"p", nullptr, report, now});
  CHECK(sample(page, "slipway_operation_exit_status{operation=\"rollback\"}") == 8.0);
  CHECK_FALSE(sample(page, "slipway_serving").has_value());
  CHECK_FALSE(sample(page, "slipway_release_info").has_value());
  CHECK_FALSE(sample(page, "slipway_operations_total").has_value());
  report.serves = false;
  CHECK(sample(metrics_text({"p", nullptr, report, now}), "slipway_serving") == 0.0);
}

TEST_CASE("a counter goes on when the journal drops its oldest records", "[metrics]") {
  std::vector<Record> records;
  for (int i = 0; i < 10; ++i) {
    for (Record record : one_operation(i % 2 == 1, i % 3 == 0 ? 4 : 0)) {
      record.sequence = records.size() + 1;
      records.push_back(std::move(record));
    }
  }
  const Ledger whole(records);
  const auto kept = compact(records, 12);
  REQUIRE(kept.has_value());
  std::string bytes;
  for (const Record& record : *kept) bytes += encode(record);
  const auto read = decode(bytes);
  REQUIRE(read.has_value());
  const Ledger after(read->records);
  CHECK(after.history().size() < whole.history().size());
  CHECK(
      whole.outcomes() ==
      Outcomes{{{"deploy", 0}, 3}, {{"deploy", 4}, 2}, {{"rollback", 0}, 3}, {{"rollback", 4}, 2}});
  CHECK(after.outcomes() == whole.outcomes());
}

TEST_CASE("the file of metrics is replaced as a whole and may be read by others", "[metrics]") {
  TemporaryDirectory directory;
  Config config;
  config.project = "shop";
  const Report report = report_of("resume", ExitCode::done);
  write_metrics(report, Ledger({}), config, "rollback");
  CHECK(std::filesystem::is_empty(directory.path()));
  config.metrics_directory = directory.path();
  for (int i = 0; i < 2; ++i) write_metrics(report, Ledger({}), config, "rollback");
  const auto file = directory.path() / "slipway-shop.prom";
  const auto entries = std::filesystem::directory_iterator(directory.path());
  CHECK(std::distance(entries, {}) == 1);
  struct stat status{};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0644);
  const auto text = read_file(file);
  REQUIRE(text.has_value());
  CHECK(sample(*text, "slipway_serving{project=\"shop\"}") == 1.0);
}
