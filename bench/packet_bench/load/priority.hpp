#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace slipway::bench {

// Asks the kernel to run the calling thread as soon as it wakes, so that other programs' load does
// not become the generator's lateness. Where it is allowed (root, CAP_SYS_NICE) the thread becomes
// a real-time one (SCHED_FIFO 1): niceness alone counts only within a session (autogroup). Where it
// is not: slices of 100 us, which preempt others at a wake-up (Linux 6.12). Returns what was
// granted, for the result.
inline constexpr std::string_view real_time_name = "SCHED_FIFO 1";
std::string raise_priority();

// The processor time that the calling thread has used.
std::chrono::nanoseconds thread_processor_time();

}  // namespace slipway::bench
