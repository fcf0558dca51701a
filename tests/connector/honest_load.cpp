#include "connector/honest_load.hpp"

#include <iterator>
#include <stdexcept>

#include <fmt/core.h>

namespace slipway::connector::test {
namespace {

// A field in kB of /proc/PID/status.
std::uint64_t status_bytes(pid_t pid, const std::string& field) {
  const auto text = read_file(fmt::format("/proc/{}/status", pid));
  const std::size_t at = text ? text->find(field + ":") : std::string::npos;
  if (at == std::string::npos) throw std::runtime_error("the connector is gone");
  return std::stoull(text->substr(at + field.size() + 1)) * 1024;
}

}  // namespace

HonestResult run_honest_load(const ConnectorProcess& connector, const HonestLoad& load) {
  const slipway::test::TemporaryDirectory directory;
  const std::string results = (directory.path() / "results.json").string();
  const auto link = [&](const std::string& token) {
    return fmt::format("btp+ws://:{}@127.0.0.1:{}/", token, connector.btp_port());
  };
  // A packet that expired on a busy machine would look like one that was lost.
  const auto ran =
      run_command({.argv = {load.packet_bench, "run",
                            "--target",        link(load.sender_token),
                            "--receiver",      link(load.receiver_token),
                            "--destination",   load.destination,
                            "--rate",          fmt::format("{}", load.rate),
                            "--duration",      fmt::format("{}ms", load.duration.count()),
                            "--warmup",        "1s",
                            "--expiry",        "30s",
                            "--pid",           std::to_string(connector.pid()),
                            "--output",        results},
                   .deadline = load.duration + std::chrono::seconds(120)});
  if (!ran) throw std::runtime_error(ran.error().text());
  const auto text = read_file(results);
  if (!text) throw std::runtime_error("packet_bench: " + ran->out + ran->err);
  const auto json = parse_json(*text);
  const auto& details = json["details"];
  const auto& packets = details["packets"];
  const auto& cpu = json["cpuUsagePercent"];
  return {.outcome = details["outcome"],
          .tps = json["tps"],
          .p50_ms = json["p50LatencyMs"],
          .p99_ms = json["p99LatencyMs"],
          .lateness_p99_ms = details["audit"]["lateness"]["p99Ms"],
          .connector_cpu_percent = cpu.is_null() ? 0 : cpu.get<double>(),
          .window_s = details["windowSeconds"],
          .planned = packets["planned"],
          .sent = packets["sent"],
          .fulfilled = packets["fulfilled"],
          .reconnects = details["reconnects"]};
}

std::uint64_t resident_bytes(pid_t pid) {
  return status_bytes(pid, "VmRSS");
}

std::uint64_t peak_resident_bytes(pid_t pid) {
  return status_bytes(pid, "VmHWM");
}

std::size_t open_descriptors(pid_t pid) {
  std::error_code ignored;
  const std::filesystem::directory_iterator all(fmt::format("/proc/{}/fd", pid), ignored);
  return static_cast<std::size_t>(std::distance(all, {}));
}

}  // namespace slipway::connector::test
