#include "packet_bench/subject/sampler.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

double seconds_of(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

constexpr double megabyte = 1024.0 * 1024.0;

}  // namespace

Sampler::Sampler(Watched target, TimePoint window_begin, std::chrono::nanoseconds window,
                 std::size_t slices)
    : target_(std::move(target)), window_begin_(window_begin), window_(window), slices_(slices) {
  samples_.reserve(slices + 2);
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

Sampler::Sample Sampler::take() const {
  Sample sample;
  sample.at = Clock::now();
  sample.target = usage_of(target_);
  sample.generator = process_usage(::getpid()).value_or(ProcessUsage{});
  sample.machine = processor_times();
  return sample;
}

void Sampler::work(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  for (std::size_t i = 0; i <= slices_; ++i) {
    const TimePoint when =
        window_begin_ + window_ * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(slices_);
    changed.wait_until(lock, stop, when, [] { return false; });
    samples_.push_back(take());
    if (stop.stop_requested()) return;
  }
}

void Sampler::finish(RunResult& result) {
  thread_.request_stop();
  thread_.join();
  const Sample& first = samples_.front();
  const Sample& last = samples_.back();
  const double elapsed = std::max(1e-9, seconds_of(last.at - first.at));
  for (std::size_t i = 0; i < result.slices.size() && i + 1 < samples_.size(); ++i) {
    const Sample& begin = samples_[i];
    const Sample& end = samples_[i + 1];
    result.slices[i].steal = end.machine.steal - begin.machine.steal;
    if (begin.target && end.target) {
      result.slices[i].target_wait =
          std::max(std::chrono::nanoseconds(0), end.target->wait - begin.target->wait);
    }
  }
  const double machine_total = seconds_of(last.machine.total - first.machine.total);
  if (machine_total > 0) {
    result.audit.steal_percent =
        100 * seconds_of(last.machine.steal - first.machine.steal) / machine_total;
  }
  result.audit.generator_cpu_percent =
      100 * seconds_of(last.generator.cpu - first.generator.cpu) / elapsed;
  std::uint64_t generator_memory = 0;
  std::uint64_t target_memory = 0;
  for (const Sample& sample : samples_) {
    generator_memory = std::max(generator_memory, sample.generator.resident_bytes);
    if (sample.target) target_memory = std::max(target_memory, sample.target->resident_bytes);
  }
  result.audit.generator_memory_mb = static_cast<double>(generator_memory) / megabyte;
  if (!target_.pid || !first.target || !last.target) return;
  result.cost.source = target_.group.cpu_used() ? "control group of " + target_.name
                                                : fmt::format("/proc/{}", *target_.pid);
  const double cpu = seconds_of(last.target->cpu - first.target->cpu);
  result.cost.cpu_percent = 100 * cpu / elapsed;
  if (result.packets.fulfilled > 0) {
    result.cost.cpu_us_per_packet = 1e6 * cpu / static_cast<double>(result.packets.fulfilled);
  }
  result.cost.memory_mb = static_cast<double>(target_memory) / megabyte;
  result.audit.target_wait_percent =
      100 * seconds_of(last.target->wait - first.target->wait) / elapsed;
}

}  // namespace slipway::bench
