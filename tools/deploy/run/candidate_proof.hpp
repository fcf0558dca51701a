#pragma once

// Whether the candidate does what it must: questions over time, judged by HealthGate.

#include "deploy/model/health.hpp"
#include "deploy/run/strategy.hpp"

#include <functional>

namespace slipway::deploy {

// One look at the candidate: the engine first, then its health.
Look look_at_candidate(Ports& ports, const Course& course);

// Healthy in a row for long enough, as the version that it should be, and a real request through
// it. `answered` is called at each healthy answer. Sets the course's seconds_to_healthy.
Outcome prove_candidate(Ports& ports, Course& course, std::stop_token stop,
                        const std::function<void()>& answered);

}  // namespace slipway::deploy
