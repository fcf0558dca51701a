#pragma once

// Whether a colour has proven itself: a pure judgement over answers and times.

#include "base/error.hpp"
#include "deploy/model/health_answer.hpp"
#include "service/service.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace slipway::deploy {

// What a live instance of a release shows.
struct Expectation {
  // The releaseId in the answer of the health page; empty: of an image that cannot say it, that
  // page need only answer 200.
  std::string release_id;
  std::string health = "/health";  // paths, for messages
  std::string ready = "/health/ready";
};

// Of an image with this revision.
Expectation expectation(const std::string& revision, const service::Service& service);

// One look at the candidate: what the engine says of it first, then its health.
struct Look {
  bool running = true;
  int ready = 1;  // instances, of `desired`, and why it is not all of them
  int desired = 1;
  std::string reason;
  int restart_count = 0;
  int exit_code = 0;
  std::string wrong_image = {};  // why it is not the image that it should be
  Result<HealthAnswer> answer = Error{ErrorKind::unreachable, "not asked", {}};
};

class HealthGate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class State { waiting, healthy, hopeless };

  HealthGate(service::HealthRules rules, Expectation expected, TimePoint begin)
      : rules_(rules), expected_(std::move(expected)), begin_(begin) {}

  State feed(TimePoint now, const Look& look);

  // Why it is not healthy, as of the last look.
  const std::string& reason() const { return reason_; }
  // What it answered then, in its own words, as they came.
  const std::string& said() const { return said_; }
  int in_a_row() const { return in_a_row_; }

 private:
  State judge(TimePoint now, const Look& look);

  service::HealthRules rules_;
  Expectation expected_;
  TimePoint begin_;
  std::optional<TimePoint> healthy_since_;
  int in_a_row_ = 0;
  std::string reason_ = "it was not asked yet";
  std::string said_;
};

// How an answer begins that is not what it should be, as it came: it may hold what the service was
// told in confidence, so it is no part of what is said of it below.
std::string words_of(const Result<HealthAnswer>& answer);

std::string not_ready(const HealthAnswer& answer, const Expectation& expected);

// Why this answer is not that of a live instance of the expected release; nothing when it is.
// Readiness is not part of it: a warm colour is live and not ready.
std::optional<std::string> objection(const Result<HealthAnswer>& answer,
                                     const Expectation& expected);

}  // namespace slipway::deploy
