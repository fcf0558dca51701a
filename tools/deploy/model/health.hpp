#pragma once

// Whether a colour has proven itself: a pure judgement over answers and times.

#include "base/error.hpp"
#include "deploy/model/health_answer.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace slipway::deploy {

struct GateRules {
  std::chrono::nanoseconds interval = std::chrono::milliseconds(250);
  std::chrono::nanoseconds timeout = std::chrono::seconds(2);  // of one question, in total
  int healthy_in_a_row = 3;
  std::chrono::nanoseconds minimum_healthy = std::chrono::seconds(1);
  std::chrono::nanoseconds deadline = std::chrono::seconds(60);
};

// One look at the candidate: what the engine says of it first, then its health.
struct Look {
  bool running = true;
  int ready = 1;  // instances, of `desired`, and why it is not all of them
  int desired = 1;
  std::string reason;
  int restart_count = 0;
  int exit_code = 0;
  Result<HealthAnswer> answer = Error{ErrorKind::unreachable, "not asked", {}};
};

class HealthGate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class State { waiting, healthy, hopeless };

  HealthGate(GateRules rules, std::string expected_release_id, TimePoint begin)
      : rules_(rules), expected_(std::move(expected_release_id)), begin_(begin) {}

  State feed(TimePoint now, const Look& look);

  // Why it is not healthy, as of the last look.
  const std::string& reason() const { return reason_; }
  int in_a_row() const { return in_a_row_; }

 private:
  State judge(TimePoint now, const Look& look);

  GateRules rules_;
  std::string expected_;
  TimePoint begin_;
  std::optional<TimePoint> healthy_since_;
  int in_a_row_ = 0;
  std::string reason_ = "it was not asked yet";
};

// Why this answer is not that of a live instance of the expected release; nothing when it is.
// Readiness is not part of it: a warm colour is live and not ready.
std::optional<std::string> objection(const Result<HealthAnswer>& answer,
                                     const std::string& expected_release_id);

}  // namespace slipway::deploy
