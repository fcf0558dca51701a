#include "packet_bench/duet/duet_judge.hpp"

#include "base/json.hpp"
#include "support/catch.hpp"

#include <cmath>
#include <limits>
#include <random>

using namespace slipway::bench;

namespace {

// Pairs of a candidate that is `worse` times as dear, with log-normal noise of `noise`, and a fixed
// bias of each round's processes.
struct Scene {
  double worse = 1;
  double noise = 0.03;
  double round_bias = 0.004;
  std::uint64_t seed = 1;
};

std::vector<Pair> pairs_of(const Scene& scene, std::size_t count = 240) {
  std::mt19937_64 random(scene.seed);
  std::normal_distribution<double> normal;
  std::vector<Pair> pairs;
  double bias = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 10 == 0) bias = scene.round_bias * normal(random);
    Pair pair;
    pair.round = static_cast<unsigned>(i / 10);
    pair.seconds = 0.5;
    pair.sides[base] = {
        .cpu_us_per_packet = 10, .p50_ms = 0.5, .p99_ms = 2, .fulfilled_share = 1, .memory_mb = 12};
    pair.sides[candidate] = pair.sides[base];
    pair.sides[candidate].cpu_us_per_packet =
        10 * scene.worse * std::exp(scene.noise * normal(random) + bias);
    pair.sides[candidate].p50_ms *= std::exp(0.05 * normal(random));
    pair.sides[candidate].p99_ms *= std::exp(0.5 * normal(random));
    pairs.push_back(pair);
  }
  return pairs;
}

int share_of(DuetOutcome outcome, double worse, int trials = 200) {
  int count = 0;
  DuetLimits limits;
  limits.planned_pairs = 150;
  for (int i = 0; i < trials; ++i) {
    const auto pairs = pairs_of({.worse = worse, .seed = static_cast<std::uint64_t>(i + 1)}, 150);
    count += judge_pairs(pairs, limits).outcome == outcome ? 1 : 0;
  }
  return 100 * count / trials;
}

}  // namespace

TEST_CASE("A candidate that is no worse passes, and early", "[duet]") {
  const DuetVerdict verdict = judge_pairs(pairs_of({}), {});
  CHECK(verdict.outcome == DuetOutcome::pass);
  CHECK(verdict.exit_status() == 0);
  CHECK(verdict.pairs < 240);
}

TEST_CASE("A candidate that is 10 % dearer is a regression at the first looks", "[duet]") {
  const DuetVerdict verdict = judge_pairs(pairs_of({.worse = 1.10}), {});
  CHECK(verdict.outcome == DuetOutcome::regression);
  CHECK(verdict.exit_status() == 1);
  CHECK(verdict.pairs <= 40);
  REQUIRE(!verdict.findings.empty());
  CHECK(verdict.findings.front().metric == Metric::cpu);
  CHECK(verdict.findings.front().interval.low < 0.10);
  CHECK(verdict.findings.front().interval.high > 0.10);
}

TEST_CASE("Two rounds that happened to start well do not let a dear candidate pass", "[duet]") {
  std::vector<Pair> pairs = pairs_of({.worse = 1.10});
  for (Pair& pair : pairs) {
    if (pair.round < 2) pair.sides[candidate].cpu_us_per_packet *= 0.85;
  }
  const DuetVerdict verdict = judge_pairs(pairs, {});
  CHECK(verdict.outcome == DuetOutcome::regression);
  CHECK(verdict.pairs > 30);
}

TEST_CASE("A candidate that is 10 % cheaper is an improvement", "[duet]") {
  const DuetVerdict verdict = judge_pairs(pairs_of({.worse = 0.90}), {});
  CHECK(verdict.outcome == DuetOutcome::improvement);
  CHECK(verdict.exit_status() == 0);
}

TEST_CASE("Noise alone is hardly ever a regression, and small slowdowns are caught", "[duet]") {
  CHECK(share_of(DuetOutcome::regression, 1.00) <= 1);
  CHECK(share_of(DuetOutcome::regression, 1.03) >= 80);
  CHECK(share_of(DuetOutcome::regression, 1.05) >= 95);
}

TEST_CASE("Exactly the allowed worsening is called a regression no more often than alpha says",
          "[duet]") {
  DuetLimits limits;
  limits.planned_pairs = 150;
  int regressions = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Scene scene{.worse = 1.015, .round_bias = 0, .seed = seed};
    const DuetVerdict verdict = judge_pairs(pairs_of(scene, 150), limits);
    regressions += verdict.outcome == DuetOutcome::regression ? 1 : 0;
  }
  // 3 are expected at 1 %; more than 10 would have a probability below 0.001.
  CHECK(regressions <= 10);
}

TEST_CASE("What is too noisy to tell is inconclusive, and not a pass", "[duet]") {
  const DuetVerdict verdict = judge_pairs(pairs_of({.worse = 1.01, .noise = 0.5}), {});
  CHECK(verdict.outcome == DuetOutcome::inconclusive);
  CHECK(verdict.exit_status() == 4);
  REQUIRE(!verdict.reasons.empty());
  CHECK(verdict.findings.front().visible > 0.05);
}

TEST_CASE("No pair, one pair and too few pairs are inconclusive with a sentence", "[duet]") {
  for (const std::size_t count : {0, 1, 19}) {
    const DuetVerdict verdict = judge_pairs(pairs_of({.worse = 3}, count), {});
    CHECK(verdict.outcome == DuetOutcome::inconclusive);
    CHECK(verdict.exit_status() == 4);
    REQUIRE(verdict.reasons.size() == 1);
    CHECK(verdict.reasons[0].find("undisturbed pairs") != std::string::npos);
  }
}

TEST_CASE("Disturbed pairs are left out by their cause, and counted", "[duet]") {
  auto pairs = pairs_of({});
  for (std::size_t i = 0; i < pairs.size(); i += 3) {
    pairs[i].sides[candidate].cpu_us_per_packet *= 10;
    if (i % 9 == 0) pairs[i].steal_share = 0.2;
    if (i % 9 == 3) pairs[i].stall_share = 0.2;
    if (i % 9 == 6) pairs[i].sides[base].wait_ms = 300;
  }
  const DuetVerdict verdict = judge_pairs(pairs, {});
  CHECK(verdict.outcome == DuetOutcome::pass);
  CHECK(verdict.left_out >= 10);
  for (Pair& pair : pairs) pair.steal_share = 0.2;
  const DuetVerdict nothing = judge_pairs(pairs, {});
  CHECK(nothing.outcome == DuetOutcome::inconclusive);
  CHECK(nothing.left_out == pairs.size());
}

TEST_CASE("A candidate whose cost cannot be seen is inconclusive", "[duet]") {
  auto pairs = pairs_of({});
  for (Pair& pair : pairs) pair.sides[candidate].cpu_us_per_packet = 0;
  CHECK(judge_pairs(pairs, {}).outcome == DuetOutcome::inconclusive);
  for (Pair& pair : pairs) {
    pair.sides[candidate].cpu_us_per_packet = std::numeric_limits<double>::quiet_NaN();
  }
  CHECK(judge_pairs(pairs, {}).outcome == DuetOutcome::inconclusive);
}

TEST_CASE("A candidate that serves fewer packets is a regression whatever it costs", "[duet]") {
  auto pairs = pairs_of({});
  for (Pair& pair : pairs) pair.sides[candidate].fulfilled_share = 0.95;
  CHECK(judge_pairs(pairs, {}).outcome == DuetOutcome::regression);
  for (Pair& pair : pairs) pair.sides[candidate].fulfilled_share = 0;
  CHECK(judge_pairs(pairs, {}).outcome == DuetOutcome::regression);
}

TEST_CASE("A rate that neither does is no regression, and is said", "[duet]") {
  auto pairs = pairs_of({});
  CHECK(shortfall(pairs, 2000, {}).empty());
  for (Pair& pair : pairs) {
    pair.sides[base].fulfilled_share = 0.62;
    pair.sides[candidate].fulfilled_share = 0.6;
  }
  CHECK_THAT(shortfall(pairs, 2000, {}),
             ContainsSubstring("2000 packets/s was not done here: the candidate answered 60.0 %"));
  for (Pair& pair : pairs) pair.sides[base].fulfilled_share = 0.6;
  CHECK(judge_pairs(pairs, {}).outcome == DuetOutcome::pass);
}

TEST_CASE("A latency that doubles raises the alarm though it does not decide", "[duet]") {
  auto pairs = pairs_of({});
  for (Pair& pair : pairs) pair.sides[candidate].p50_ms *= 2;
  CHECK(judge_pairs(pairs, {}).outcome == DuetOutcome::regression);
}

TEST_CASE("flag --max-worse says what decides and by how much", "[duet]") {
  DuetLimits limits;
  REQUIRE(apply_max_worse("cpu=5%,p99=30%", limits).has_value());
  CHECK(limits.allowed[0].worsening == Approx(0.05));
  CHECK(limits.allowed[0].deciding);
  CHECK_FALSE(limits.allowed[static_cast<std::size_t>(Metric::rate)].deciding);
  CHECK(limits.allowed[static_cast<std::size_t>(Metric::p99)].deciding);
  CHECK(judge_pairs(pairs_of({.worse = 1.03}), limits).outcome != DuetOutcome::regression);
  for (const char* const nonsense :
       {"", "cpu", "cpu=", "cpu=5", "cpu=%", "cpu=-1%", "cpu=0%", "cpu=nan%", "speed=5%", "cpu=5%,",
        "cpu=1e9%", "cpu=5%%", "cpu=inf%"}) {
    CHECK_FALSE(apply_max_worse(nonsense, limits).has_value());
  }
}

TEST_CASE("A pair survives its JSON, and nonsense does not become a pair", "[duet]") {
  const Pair pair = pairs_of({}).front();
  const auto json = to_json(pair);
  const auto back = pair_from_json(json);
  REQUIRE(back.has_value());
  CHECK(back->sides[candidate].cpu_us_per_packet ==
        Approx(pair.sides[candidate].cpu_us_per_packet).epsilon(1e-5));
  for (const char* const field : {"round", "seconds", "stealShare", "base", "candidate"}) {
    auto broken = json;
    broken.erase(field);
    CHECK_FALSE(pair_from_json(broken).has_value());
    broken[field] = "ten";
    CHECK_FALSE(pair_from_json(broken).has_value());
    broken[field] = nullptr;
    CHECK_FALSE(pair_from_json(broken).has_value());
  }
  auto negative = json;
  negative["base"]["cpuUsPerPacket"] = -1;
  CHECK_FALSE(pair_from_json(negative).has_value());
  CHECK_FALSE(pair_from_json(nlohmann::ordered_json::array()).has_value());
}

TEST_CASE("A candidate that served nothing is a regression, whatever the base served", "[duet]") {
  DuetLimits limits;
  REQUIRE(apply_max_worse("rate=20%", limits).has_value());
  const double base_share = GENERATE(0.0, 1.0);
  auto pairs = pairs_of({}, 60);
  for (Pair& pair : pairs) {
    pair.sides[base].fulfilled_share = base_share;
    pair.sides[candidate].fulfilled_share = 0;
  }
  const DuetVerdict nothing = judge_pairs(pairs, limits);
  CHECK(nothing.outcome == DuetOutcome::regression);
  CHECK(nothing.reasons.front() == "worse: the candidate served nothing");

  // Once is enough to have served something; then the shares are compared.
  pairs.front().sides[candidate].fulfilled_share = 0.5;
  const DuetVerdict something = judge_pairs(pairs, limits);
  CHECK((something.outcome == DuetOutcome::regression) == (base_share == 1));
  for (const std::string& reason : something.reasons) CHECK(reason.find("nothing") == reason.npos);
}
