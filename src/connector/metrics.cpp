#include "connector/metrics.hpp"

#include "base/build_info.hpp"
#include "base/durable_file.hpp"
#include "net/prometheus_text.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

namespace slipway::connector {
namespace {

using Out = std::back_insert_iterator<std::string>;

void family(Out out, std::string_view name, std::string_view type, std::string_view help) {
  fmt::format_to(out, "{}", net::family_head(name, type, help));
}

void packets_of(Out out, const Account& account, std::string_view direction,
                const std::array<std::uint64_t, outcomes.size()>& counts) {
  for (std::size_t i = 0; i < counts.size(); ++i) {
    // A series exists once it has counted, except the two that rates are computed from.
    const bool always = i == fulfilled_outcome;
    if (counts[i] == 0 && !always) continue;
    fmt::format_to(out,
                   "ilp_packets_total{{account=\"{}\",direction=\"{}\",result=\"{}\",code=\"{}\"}} "
                   "{}\n",
                   account.config->id, direction, i == fulfilled_outcome ? "fulfilled" : "rejected",
                   outcomes[i], counts[i]);
  }
}

void packets(Out out, const Hub& hub) {
  family(out, "ilp_packets_total", "counter",
         "Prepares answered, by account, whether they came from it or went to it, and outcome.");
  for (const Account& account : hub.forwarder.accounts()) {
    packets_of(out, account, "in", account.incoming);
    packets_of(out, account, "out", account.outgoing);
  }
  family(out, "ilp_packets_in_flight", "gauge", "Prepares passed on and not answered yet.");
  fmt::format_to(out, "ilp_packets_in_flight {}\n", hub.forwarder.in_flight());
  family(out, "ilp_late_replies_total", "counter", "Answers that nothing waited for any more.");
  fmt::format_to(out, "ilp_late_replies_total {}\n", hub.forwarder.late_replies());
}

// `labels`: of all of its series, without braces.
void histogram(Out out, std::string_view name, const std::string& labels,
               const DurationHistogram& durations) {
  const std::string only = labels.empty() ? "" : "{" + labels + "}";
  const std::string first = labels.empty() ? "" : labels + ",";
  const auto& counts = durations.counts();
  std::uint64_t cumulated = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    cumulated += counts[i];
    const std::string bound = i < DurationHistogram::bounds_us.size()
                                  ? fmt::format("{}", DurationHistogram::bounds_us[i] / 1e6)
                                  : "+Inf";
    fmt::format_to(out, "{}_bucket{{{}le=\"{}\"}} {}\n", name, first, bound, cumulated);
  }
  fmt::format_to(out, "{}_sum{} {:.9f}\n", name, only, durations.sum_seconds());
  fmt::format_to(out, "{}_count{} {}\n", name, only, cumulated);
}

void durations(Out out, const Hub& hub) {
  family(out, "ilp_packet_duration_seconds", "histogram",
         "From reading a Prepare to answering it, by the account it came from.");
  for (const Account& account : hub.forwarder.accounts()) {
    histogram(out, "ilp_packet_duration_seconds", fmt::format("account=\"{}\"", account.config->id),
              account.duration);
  }
}

void accounts(Out out, const Hub& hub) {
  family(out, "ilp_account_balance_units", "gauge",
         "What the connector owes the account, in the account's smallest units.");
  for (const Account& account : hub.forwarder.accounts()) {
    fmt::format_to(out,
                   "ilp_account_balance_units{{account=\"{}\",asset=\"{}\",scale=\"{}\"}} {}\n",
                   account.config->id, net::escaped_label(account.config->asset_code),
                   account.config->asset_scale, account.balance.value());
  }
  family(out, "ilp_peer_connected", "gauge", "1 while Prepares can be sent to the account.");
  for (const Account& account : hub.forwarder.accounts()) {
    fmt::format_to(out, "ilp_peer_connected{{account=\"{}\"}} {}\n", account.config->id,
                   hub.links.find(account.link) != nullptr ? 1 : 0);
  }
  family(out, "ilp_refusals_total", "counter",
         "Frames, requests and connections that were not served, by reason.");
  for (const auto& [reason, count] : hub.refusals) {
    fmt::format_to(out, "ilp_refusals_total{{reason=\"{}\"}} {}\n", reason, count);
  }
}

void ledger_of(Out out, const Hub& hub) {
  const Bookkeeper& books = hub.books;
  family(out, "ilp_ledger_writable", "gauge",
         "1 while balances are kept durably, 0 while they cannot be or are not meant to.");
  fmt::format_to(out, "ilp_ledger_writable {}\n",
                 books.is_kept() && books.failure().empty() ? 1 : 0);
  if (!books.is_kept()) return;
  const auto seconds = [](std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count();
  };
  const ledger::Policy& policy = hub.forwarder.progress().policy();
  family(out, "ilp_ledger_at_risk_seconds", "gauge",
         "How long a time's transfers a power cut may take back at most.");
  fmt::format_to(out, "ilp_ledger_at_risk_seconds {:.3f}\n",
                 policy.durability == ledger::Durability::sync ? 0 : seconds(policy.at_risk));
  family(out, "ilp_ledger_lag_seconds", "gauge", "Age of the oldest transfer that is not durable.");
  fmt::format_to(out, "ilp_ledger_lag_seconds {:.6f}\n", seconds(books.lag()));
  family(out, "ilp_ledger_waiting_fulfills", "gauge", "Fulfills that wait for the ledger.");
  fmt::format_to(out, "ilp_ledger_waiting_fulfills {}\n", hub.forwarder.waiting_fulfills());
  family(out, "ilp_ledger_failures_total", "counter", "Times that the ledger could not be used.");
  fmt::format_to(out, "ilp_ledger_failures_total {}\n", books.figures().failures);
  family(out, "ilp_ledger_other_instances", "gauge", "Other connectors that use the ledger.");
  fmt::format_to(out, "ilp_ledger_other_instances {}\n", books.figures().instances);
  family(out, "ilp_ledger_batch_seconds", "histogram", "From handing a batch over to durable.");
  histogram(out, "ilp_ledger_batch_seconds", "", books.figures().batches);
}

void traces(Out out, const Hub& hub) {
  if (!hub.traces.is_on()) return;
  family(out, "ilp_traces_total", "counter",
         "Packets drawn for traces, by whether the collector took them.");
  fmt::format_to(out, "ilp_traces_total{{result=\"sent\"}} {}\n", hub.traces.sent());
  fmt::format_to(out, "ilp_traces_total{{result=\"lost\"}} {}\n", hub.traces.lost());
}

void process(Out out, std::chrono::system_clock::time_point started) {
  family(out, "process_start_time_seconds", "gauge", "Start of the process, since the epoch.");
  fmt::format_to(out, "process_start_time_seconds {:.3f}\n",
                 std::chrono::duration<double>(started.time_since_epoch()).count());
  std::uint64_t resident_pages = 0;
  if (const auto statm = read_file("/proc/self/statm")) {
    const std::size_t space = statm->find(' ');
    if (space != std::string::npos) resident_pages = std::strtoull(&(*statm)[space], nullptr, 10);
  }
  family(out, "process_resident_memory_bytes", "gauge", "Resident memory.");
  fmt::format_to(out, "process_resident_memory_bytes {}\n",
                 resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  family(out, "process_cpu_seconds_total", "counter", "User and system time.");
  fmt::format_to(out, "process_cpu_seconds_total {:.6f}\n",
                 seconds(usage.ru_utime) + seconds(usage.ru_stime));
  std::error_code ignored;
  const auto descriptors =
      std::distance(std::filesystem::directory_iterator("/proc/self/fd", ignored), {});
  family(out, "process_open_fds", "gauge", "Open file descriptors.");
  fmt::format_to(out, "process_open_fds {}\n", descriptors);
}

}  // namespace

std::string render_metrics(const Hub& hub, std::string_view role,
                           std::chrono::system_clock::time_point started) {
  std::string text;
  const Out out(text);
  const BuildInfo build = build_info();
  family(out, "ilp_build_info", "gauge", "What is running; always 1.");
  fmt::format_to(out, "ilp_build_info{{version=\"{}\",revision=\"{}\"}} 1\n", build.version,
                 build.revision);
  family(out, "ilp_role", "gauge", "1 for the role the process has now.");
  for (const std::string_view name : {"active", "standby", "draining", "drained"}) {
    fmt::format_to(out, "ilp_role{{role=\"{}\"}} {}\n", name, name == role ? 1 : 0);
  }
  packets(out, hub);
  durations(out, hub);
  accounts(out, hub);
  ledger_of(out, hub);
  traces(out, hub);
  process(out, started);
  return text;
}

}  // namespace slipway::connector
