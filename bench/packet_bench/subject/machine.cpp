#include "packet_bench/subject/machine.hpp"

#include "base/build_info.hpp"
#include "base/durable_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sched.h>
#include <sstream>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using std::chrono::nanoseconds;

// Files under /proc and /sys; an empty text where one does not exist here.
std::string text_of(const std::string& path) {
  auto content = read_file(path);
  return content ? *content : std::string();
}

std::string first_line(const std::string& path) {
  std::string text = text_of(path);
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::string cpu_model(const std::string& cpuinfo) {
  std::istringstream lines(cpuinfo);
  std::string implementer;
  std::string part;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string value = line.substr(colon + 2);
    if (line.starts_with("model name")) return value;
    if (line.starts_with("CPU implementer")) implementer = value;
    if (line.starts_with("CPU part")) part = value;
  }
  if (implementer.empty() || part.empty()) return "unknown";
  return fmt::format("implementer {}, part {}", implementer, part);
}

std::optional<ProcessUsage> process_usage(pid_t pid) {
  const std::string directory = fmt::format("/proc/{}", pid);
  ProcessUsage usage;
  bool any = false;
  std::error_code failed;
  for (const auto& task : std::filesystem::directory_iterator(directory + "/task", failed)) {
    std::istringstream numbers(text_of(task.path().string() + "/schedstat"));
    std::int64_t ran = 0;
    std::int64_t waited = 0;
    if (!(numbers >> ran >> waited)) continue;
    usage.wait += nanoseconds(waited);
    any = true;
  }
  // The process's own clock also counts threads that have ended.
  clockid_t clock{};
  timespec ran_for{};
  if (::clock_getcpuclockid(pid, &clock) == 0 && ::clock_gettime(clock, &ran_for) == 0) {
    usage.cpu = std::chrono::seconds(ran_for.tv_sec) + nanoseconds(ran_for.tv_nsec);
  }
  std::istringstream pages(text_of(directory + "/statm"));
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  if (!any || !(pages >> total >> resident)) return std::nullopt;
  usage.resident_bytes = resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return usage;
}

ProcessorTimes processor_times() {
  std::istringstream fields(first_line("/proc/stat"));
  std::string name;
  fields >> name;
  ProcessorTimes times;
  const std::int64_t tick_ns = 1'000'000'000 / ::sysconf(_SC_CLK_TCK);
  std::int64_t value = 0;
  // user nice system idle iowait irq softirq steal; guest time is part of user's.
  for (int field = 0; field < 8 && fields >> value; ++field) {
    times.total += nanoseconds(value * tick_ns);
    if (field == 7) times.steal = nanoseconds(value * tick_ns);
  }
  return times;
}

std::vector<int> allowed_processors() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  std::vector<int> processors;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return processors;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(static_cast<std::size_t>(processor), &allowed)) processors.push_back(processor);
  }
  return processors;
}

Context machine_context() {
  Context context;
  utsname names{};
  if (::uname(&names) == 0) {
    context.host = names.nodename;
    context.kernel = fmt::format("{} {} {}", names.sysname, names.release, names.machine);
  }
  context.cpu_model = cpu_model(text_of("/proc/cpuinfo"));
  context.cpus = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  context.governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  if (context.governor.empty()) context.governor = "unknown";
  context.clock_source =
      first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  double averages[3] = {};
  if (::getloadavg(averages, 3) == 3) context.load_average.assign(averages, averages + 3);
  const BuildInfo build = build_info();
  context.build_type = build.build_type;
  context.version = build.version;
  context.revision = build.revision;
  return context;
}

}  // namespace slipway::bench
