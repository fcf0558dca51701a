#pragma once

#include "packet_bench/result/run_result.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace slipway::bench {

// What a process has used so far, from /proc/PID.
struct ProcessUsage {
  std::chrono::nanoseconds cpu{0};   // of all its threads
  std::chrono::nanoseconds wait{0};  // runnable, but not on a processor (schedstat)
  std::uint64_t resident_bytes = 0;
};
// Nothing when there is no such process. Threads that have ended are missing from `wait`.
std::optional<ProcessUsage> process_usage(pid_t pid);

// What the hypervisor gave to others, summed over the processors since boot (/proc/stat).
struct ProcessorTimes {
  std::chrono::nanoseconds steal{0};
  std::chrono::nanoseconds total{0};
};
ProcessorTimes processor_times();

// The processors that this process may use, in order; empty when the kernel does not say.
std::vector<int> allowed_processors();

// From the text of /proc/cpuinfo: the model's name, on arm64 the numbers of its designer and design
// (MIDR_EL1), else "unknown".
std::string cpu_model(const std::string& cpuinfo);

// The machine and the build: what a later reader needs to judge whether two results compare.
Context machine_context();

}  // namespace slipway::bench
