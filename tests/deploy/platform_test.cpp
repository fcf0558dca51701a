// A platform that is neither Docker nor a host is driven by the same sessions, strategies and
// tables.
#include "fake_cluster.hpp"
#include "support/catch.hpp"

#include <algorithm>

using namespace slipway;
using namespace slipway::test;

namespace {

// All that people and scripts are shown, in lower case.
std::string all_words(const Report& report) {
  std::string text = to_json_text(report) + to_markdown(report) + meaning(report);
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  });
  return text;
}

void expect_no_names_of_others(const Report& report) {
  const std::string words = all_words(report);
  for (const char* name : {"docker", "haproxy", "compose", "container"}) {
    INFO(name << " in " << words);
    CHECK(words.find(name) == std::string::npos);
  }
}

}  // namespace

TEST_CASE("a cluster is deployed to and rolled back by the steps of any platform", "[platform]") {
  Objects objects;
  FakeCluster cluster(objects);
  for (const char* tag : {"v1", "v2"}) {
    const Report report = cluster.run(Action::deploy, tag);
    INFO(report.message);
    REQUIRE(report.exit_code == ExitCode::done);
    // All pods, not the first.
    CHECK(report.seconds_to_healthy.value_or(0) >= FakeCluster::replicas - 1);
    CHECK(cluster.served() == tag);
    expect_no_names_of_others(report);
  }
  const Report back = cluster.run(Action::rollback);
  CHECK(back.exit_code == ExitCode::done);
  CHECK(back.warm);
  CHECK(cluster.served() == "v1");
  expect_no_names_of_others(back);
}

TEST_CASE("pods that cannot start are taken away at once, with the platform's reason",
          "[platform]") {
  Objects objects;
  FakeCluster cluster(objects);
  cluster.run(Action::deploy, "v1");
  objects.unpullable.insert("v2");
  const auto before = cluster.time;
  const Report report = cluster.run(Action::deploy, "v2");
  CHECK(report.exit_code == ExitCode::rolled_back);
  CHECK_THAT(report.message, ContainsSubstring("ErrImagePull"));
  CHECK(cluster.time - before < std::chrono::seconds(5));
  CHECK(cluster.served() == "v1");
  expect_no_names_of_others(report);
}

TEST_CASE("killed at every point, any other machine takes it up from the objects alone",
          "[platform]") {
  int point = 1;
  for (;; ++point) {
    Objects objects;
    FakeCluster first(objects);
    first.run(Action::deploy, "v1");
    first.cut_at = point;
    bool cut = false;
    try {
      first.run(Action::deploy, "v2");
    } catch (const PowerCut&) {
      cut = true;
    }
    if (!cut) break;
    FakeCluster second(objects);
    second.time = first.time;
    INFO("cut at " << point);
    expect_no_names_of_others(second.run(Action::resume));
    const std::string served = second.served();
    REQUIRE((served == "v1" || served == "v2"));
    const std::string journal = objects.journal;
    REQUIRE(second.run(Action::resume).exit_code == ExitCode::done);
    REQUIRE(objects.journal == journal);
    REQUIRE(second.served() == served);
  }
  CHECK(point > 30);
}

TEST_CASE("a selector that tells nothing is named by the platform's own words", "[platform]") {
  Objects objects;
  FakeCluster cluster(objects);
  cluster.run(Action::deploy, "v1");
  cluster.cut_at = 20;
  REQUIRE_THROWS_AS(cluster.run(Action::deploy, "v2"), PowerCut);
  cluster.cut_at = -1;
  objects.selector.clear();
  objects.deployments.clear();
  const Report report = cluster.run(Action::resume);
  CHECK(report.exit_code == ExitCode::ambiguous);
  CHECK_THAT(report.message, ContainsSubstring("the Service's selector does not tell"));
}

TEST_CASE("a dry run asks the registry of what the cluster would pull, and changes nothing",
          "[platform]") {
  Objects objects;
  FakeCluster cluster(objects);
  REQUIRE(cluster.run(Action::deploy, "v1").exit_code == ExitCode::done);
  const std::string before = objects.journal;
  CHECK_THAT(cluster.dry_run("v1").message, ContainsSubstring("serves already"));
  CHECK_THAT(cluster.dry_run("v2").message,
             ContainsSubstring("would deploy from v1") && !ContainsSubstring("not here"));
  cluster.refuses = "no Secret api-env";
  const Report refused = cluster.dry_run("v2");
  CHECK(refused.exit_code == ExitCode::usage);
  CHECK_THAT(refused.message, ContainsSubstring("no Secret api-env"));
  CHECK(objects.journal == before);
}

TEST_CASE("a deploy to warm pods waits for all of them, a rollback for one", "[platform]") {
  for (const bool back : {false, true}) {
    Objects objects;
    FakeCluster cluster(objects);
    for (const char* tag : {"v1", "v2"}) {
      REQUIRE(cluster.run(Action::deploy, tag).exit_code == ExitCode::done);
    }
    // A node went, and its pods are being made elsewhere.
    objects.deployments.at(Colour::blue).began = cluster.time - FakeCluster::a_pod;
    const Report report = back ? cluster.run(Action::rollback) : cluster.run(Action::deploy, "v1");
    INFO(report.message);
    CHECK(report.exit_code == ExitCode::done);
    CHECK(report.warm);
    CHECK(objects.selector == "blue");
    CHECK((cluster.served() == "v1") == !back);
  }
}
