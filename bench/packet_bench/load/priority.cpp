#include "packet_bench/load/priority.hpp"

#include <cstdint>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace slipway::bench {
namespace {

// struct sched_attr of sched_setattr(2), version 1; older C libraries do not declare it.
struct SchedulingAttributes {
  std::uint32_t size = 56;
  std::uint32_t policy = 0;  // SCHED_OTHER
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;  // the slice in ns; 0: the kernel's default
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
  std::uint32_t util_min = 0;
  std::uint32_t util_max = 0;
};
static_assert(sizeof(SchedulingAttributes) == 56);

bool ask_for_short_slices() {
  SchedulingAttributes attributes;
  attributes.runtime = 100'000;
  return ::syscall(SYS_sched_setattr, 0, &attributes, 0u) == 0;
}

}  // namespace

std::string raise_priority() {
  const sched_param lowest{.sched_priority = 1};
  if (::sched_setscheduler(0, SCHED_FIFO, &lowest) == 0) return std::string(real_time_name);
  if (ask_for_short_slices()) return "nice 0, slices of 100 us";
  return "default";
}

std::chrono::nanoseconds thread_processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace slipway::bench
