#include "deploy/model/health.hpp"

#include "base/foreign_text.hpp"
#include "base/units.hpp"

#include <fmt/core.h>

namespace slipway::deploy {

Expectation expectation(const std::string& revision, const service::Service& service) {
  return {service.version_is_digest ? std::string() : revision, service.health, service.ready};
}

std::string not_ready(const HealthAnswer& answer, const Expectation& expected) {
  if (answer.ready_status == 0) return expected.ready + " does not answer 200";
  return fmt::format("{} does not answer 200 but {}", expected.ready, answer.ready_status);
}

std::string words_of(const Result<HealthAnswer>& answer) {
  if (!answer) return "";
  return answer->said.empty() ? answer->ready_said : answer->said;
}

std::optional<std::string> objection(const Result<HealthAnswer>& answer,
                                     const Expectation& expected) {
  if (!answer) return answer.error().what;
  if (expected.release_id.empty()) {
    if (answer->status == 200) return std::nullopt;
    return fmt::format("{} answered {}", expected.health, answer->status);
  }
  if (!answer->well_formed) {
    return fmt::format("{} answered {} without JSON", expected.health, answer->status);
  }
  if (answer->release_id.empty() && answer->status != 200) {
    return fmt::format("{} answered {}", expected.health, answer->status);
  }
  if (answer->release_id != expected.release_id) {
    return fmt::format("{} shows releaseId {}, the image is {}", expected.health,
                       answer->release_id.empty() ? "none" : foreign_line(answer->release_id, 80),
                       expected.release_id);
  }
  return std::nullopt;
}

HealthGate::State HealthGate::feed(TimePoint now, const Look& look) {
  const State state = judge(now, look);
  said_ = words_of(look.answer);
  if (state != State::waiting || now - begin_ < rules_.deadline) return state;
  reason_ = fmt::format("not healthy within {}: {}", format_duration(rules_.deadline),
                        reason_.empty() ? "it kept changing" : reason_);
  return State::hopeless;
}

HealthGate::State HealthGate::judge(TimePoint now, const Look& look) {
  if (!look.running || look.restart_count > 0) {
    in_a_row_ = 0;
    reason_ = look.reason.empty()
                  ? fmt::format("the container exited with status {}", look.exit_code)
                  : "it does not run: " + look.reason;
    if (look.restart_count > 0) reason_ += " and was restarted";
    return State::hopeless;
  }
  if (!look.wrong_image.empty()) {
    in_a_row_ = 0;
    reason_ = look.wrong_image;
    return State::hopeless;
  }
  std::optional<std::string> wrong = objection(look.answer, expected_);
  // Another version's answer never becomes right by waiting.
  const bool wrong_version = wrong && !expected_.release_id.empty() && look.answer &&
                             look.answer->well_formed && !look.answer->release_id.empty();
  if (!wrong && look.answer->status != 200) {
    wrong = fmt::format("{} answered {}", expected_.health, look.answer->status);
  }
  if (!wrong && look.answer->health == "fail") wrong = expected_.health + " says fail";
  if (!wrong && !look.answer->ready) wrong = not_ready(*look.answer, expected_);
  if (!wrong && look.ready < look.desired) {
    wrong = fmt::format("{} of {} instances are ready", look.ready, look.desired);
  }
  if (wrong && !look.reason.empty()) *wrong += ": " + look.reason;
  if (wrong) {
    in_a_row_ = 0;
    healthy_since_.reset();
    reason_ = *wrong;
    return wrong_version ? State::hopeless : State::waiting;
  }
  if (!healthy_since_) healthy_since_ = now;
  ++in_a_row_;
  if (in_a_row_ >= rules_.healthy_in_a_row && now - *healthy_since_ >= rules_.minimum_healthy) {
    reason_.clear();
    return State::healthy;
  }
  reason_ = fmt::format("healthy {} of {} times in a row", in_a_row_, rules_.healthy_in_a_row);
  return State::waiting;
}

}  // namespace slipway::deploy
