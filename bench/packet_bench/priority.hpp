#pragma once

#include <string>

namespace slipway::bench {

// Asks the kernel to run the calling thread as soon as it wakes, so that other programs' load does
// not become the generator's lateness: nice -20 where that is allowed (root, CAP_SYS_NICE), and
// slices of 100 us, which preempt others at a wake-up (Linux 6.12). With a processor hog on the
// same processor this is the difference between 4 ms and 14 us at the 99th percentile. Returns
// what was granted, for the result.
std::string raise_priority();

}  // namespace slipway::bench
