#pragma once

#include "packet_bench/gate/gate.hpp"
#include "packet_bench/result/run_result.hpp"
#include "packet_bench/search/rate_search.hpp"

namespace slipway::bench {

// What a run at one rate means for a search: sustained is a run that passed without losing a
// packet; a failure is put down to the machine when the hypervisor or other programs took more of
// it than bounds fixed beforehand, and to the generator when that was late for want of processor
// time of its own. Pure. The run was judged with its own rate as the threshold.
ProbeOutcome probe_outcome(const RunResult& result, const Verdict& verdict);

}  // namespace slipway::bench
