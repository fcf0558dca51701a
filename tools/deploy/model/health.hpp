#pragma once

// Whether a colour has proven itself: a pure judgement over answers and times.

#include "base/error.hpp"
#include "deploy/model/colour.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace slipway::deploy {

// What /health and /health/ready said, reduced to what matters.
struct HealthAnswer {
  int status = 0;            // HTTP status of /health
  bool well_formed = false;  // the body is a JSON object with the fields below
  std::string health;        // field status: pass, warn or fail
  std::string release_id;    // field releaseId
  std::string version;       // field version
  std::string role;          // active, standby, draining or drained
  bool ready = false;        // /health/ready answered 200
};

class HealthSource {
 public:
  virtual ~HealthSource() = default;
  // Errors: unreachable, timeout (total, not per byte), protocol (a redirect, too many bytes).
  virtual Result<HealthAnswer> ask(Colour colour, std::chrono::nanoseconds timeout) = 0;
  // The text of /metrics.
  virtual Result<std::string> metrics(Colour colour, std::chrono::nanoseconds timeout) = 0;
};

struct GateRules {
  std::chrono::nanoseconds interval = std::chrono::milliseconds(250);
  std::chrono::nanoseconds timeout = std::chrono::seconds(2);  // of one question, in total
  int healthy_in_a_row = 3;
  std::chrono::nanoseconds minimum_healthy = std::chrono::seconds(1);
  std::chrono::nanoseconds deadline = std::chrono::seconds(60);
};

// One look at the candidate: the container first, then its health.
struct Look {
  bool running = true;
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
