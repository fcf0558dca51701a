#pragma once

#include <string>

namespace slipway::bench {

// Asks the kernel to run the calling thread as soon as it wakes, so that other programs' load does
// not become the generator's lateness. Where it is allowed (root, CAP_SYS_NICE) a thread that
// sleeps between packets becomes a real-time one (SCHED_FIFO 1): niceness alone counts only within
// a session (autogroup). One that never sleeps gets nice -20 instead: the kernel would stop it for
// 50 ms in every second. Otherwise slices of 100 us, which preempt others at a wake-up
// (Linux 6.12). Returns what was granted, for the result.
std::string raise_priority(bool never_sleeps);

}  // namespace slipway::bench
