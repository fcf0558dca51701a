#pragma once

// How a colour answered its users, for the step bake.

#include "deploy/model/bake.hpp"
#include "deploy/run/strategy.hpp"

namespace slipway::deploy {

// Whether both services name counters of their own; else the switch's counters are compared.
bool has_own_counters(Ports& ports, const Plan& plan);

// What the colour answered so far, of the plan's candidate or of its old colour. Errors:
// unreachable, timeout, protocol.
Result<Totals> answers_of(Ports& ports, const Plan& plan, Colour colour);

// What the old colour did, to compare with: all that its process counted, or, as the switch counts
// through one process after another, what came since `before`, where that is enough to judge by.
Totals baseline_of(const service::BakeRules& rules, const Totals& now,
                   const std::optional<Totals>& before);

}  // namespace slipway::deploy
