#pragma once

#include <string>

namespace slipway::bench {

// Asks the kernel to run the calling thread as soon as it wakes, so that other programs' load does
// not become the generator's lateness. Where it is allowed (root, CAP_SYS_NICE) a thread that
// sleeps between packets becomes a real-time one (SCHED_FIFO 1): niceness alone counts only within
// a session (autogroup). One that spins gets nice -20 instead, so as not to shut others out of its
// processor. Otherwise slices of 100 us, which preempt others at a wake-up (Linux 6.12). Returns
// what was granted, for the result.
std::string raise_priority(bool spins);

}  // namespace slipway::bench
