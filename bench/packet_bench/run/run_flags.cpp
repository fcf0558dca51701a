#include "packet_bench/run/run_flags.hpp"

#include "base/random.hpp"
#include "packet_bench/subject/embedded.hpp"
#include "packet_bench/target/http_channel.hpp"
#include "wire/ilp_packet.hpp"

#include <charconv>
#include <cstdlib>
#include <limits>
#include <sched.h>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr double highest_rate = 50e6;

Result<void> fill_plan_times(LoadPlan& plan, const std::string& duration, const std::string& warmup,
                             const std::string& expiry) {
  const auto window = duration_flag("--duration", duration, 100ms, 24h * 7);
  if (!window) return window.error();
  const auto warm = duration_flag("--warmup", warmup, 0ns, 1h);
  if (!warm) return warm.error();
  const auto valid_for = duration_flag("--expiry", expiry, 100ms, 10min);
  if (!valid_for) return valid_for.error();
  plan.duration = *window;
  plan.warmup = *warm;
  plan.expiry = *valid_for;
  return {};
}

Result<double> parse_rate(const std::string& text) {
  if (text == "max") return std::numeric_limits<double>::infinity();
  double rate = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (failed != std::errc{} || end != text.data() + text.size() || !(rate >= 0.1) ||
      rate > highest_rate) {
    return refused_flag("--rate", text, "0.1 to 50000000 packets a second, or max");
  }
  return rate;
}

}  // namespace

Result<void> RunFlags::check_load(RunOptions& options) const {
  LoadPlan& plan = options.plan;
  const auto rate = parse_rate(rate_);
  if (!rate) return rate.error();
  const auto times = fill_plan_times(plan, duration_, warmup_, expiry_);
  if (!times) return times.error();
  if (threads_ < 1 || threads_ > 64 || threads_ > connections_) {
    return refused_flag("--threads", std::to_string(threads_),
                        "1 to 64, and no more than --connections");
  }
  if (max_in_flight_ < std::size_t{2} * threads_ || max_in_flight_ > (1u << 20)) {
    return refused_flag("--max-in-flight", std::to_string(max_in_flight_), "2 a thread to 1048576");
  }
  options.connections = connections_;
  options.numbered_tokens = numbered_tokens_;
  options.connector_affinity = connector_affinity_;
  plan.rate = *rate;
  plan.threads = threads_;
  plan.data_bytes = data_bytes_;
  plan.amount = amount_;
  plan.max_in_flight = max_in_flight_;
  plan.cpu_affinity = cpu_affinity_;
  plan.arrivals = arrivals_;
  plan.precision = precision_;
  plan.high_priority = high_priority_;
  plan.receiver_behaviour = receiver_behaviour_;
  // A seed of its own for each run, so that no packet is ever sent twice.
  plan.seed = seed_ != 0 ? seed_ : random_seed();
  return {};
}

Result<void> RunFlags::check_limits(RunOptions& options) const {
  if (threshold_tps_) {
    if (!(*threshold_tps_ >= 0 && *threshold_tps_ <= highest_rate)) {
      return refused_flag("--threshold-tps", fmt::format("{}", *threshold_tps_),
                          "1 to 50000000, or 0 for none");
    }
    if (*threshold_tps_ > 0) options.limits.threshold_tps = threshold_tps_;
  } else if (!options.plan.closed_loop()) {
    options.limits.threshold_tps = options.plan.rate;
  }
  if (!threshold_p99_.empty()) {
    const auto bound = duration_flag("--threshold-p99", threshold_p99_, 1us, 10min);
    if (!bound) return bound.error();
    options.limits.threshold_p99 = *bound;
  }
  options.retries = retries_;
  return {};
}

// "bearer", or "basic:USER"; the secret comes from the environment or is the URL's.
Result<void> RunFlags::check_authorization(RunOptions& options) const {
  if (auth_.empty()) return {};
  Target& target = options.target;
  const bool basic = auth_.starts_with("basic:");
  if (!basic && auth_ != "bearer") return refused_flag("--auth", auth_, "bearer or basic:USER");
  if (basic &&
      (target.scheme == &ilp_http_scheme || auth_.size() == std::string_view("basic:").size())) {
    return refused_flag("--auth", auth_, "bearer or basic:USER, and for ilp+http only bearer");
  }
  target.username = basic ? auth_.substr(std::string_view("basic:").size()) : std::string();
  const char* const secret = std::getenv("PACKET_BENCH_SECRET");
  if (secret != nullptr && *secret != '\0') target.token = secret;
  if (target.token.find_first_of("\r\n") != std::string::npos) {
    return Error{ErrorKind::usage, "the secret of --auth is more than one line", {}};
  }
  if (!target.token.empty()) return {};
  return Error{ErrorKind::usage, "--auth without a secret", "set PACKET_BENCH_SECRET to it"};
}

Result<void> RunFlags::check_cost(RunOptions& options) const {
  if (pid_ > 0) options.target_pid = pid_;
  options.container = container_;
  if (!metrics_.empty()) {
    auto page = parse_target(metrics_);
    if (!page) return page.error();
    if (page->scheme != &http_scheme) {
      return refused_flag("--metrics", page->text(), "an http:// or https:// URL");
    }
    options.metrics = *page;
  }
  return {};
}

// What would change nothing is refused: whoever gives a flag believes that it does something.
Result<void> RunFlags::check_useful(const RunOptions& options) const {
  const Scheme* const scheme = options.target.scheme;
  const bool embedded = options.target.is_embedded();
  const bool web = !embedded && scheme->is_web();
  const bool requests = !embedded && scheme->requests;
  const bool open_loop = !options.plan.closed_loop();
  const struct {
    const char* flag;
    bool useful;
    const char* of_use;
  } rules[] = {
      {"--destination", !embedded && !web, "btp+ws and ilp+http targets"},
      {"--receiver", !embedded && !web, "btp+ws and ilp+http targets"},
      {"--receiver-behaviour", embedded || options.receiver, "embedded, or with --receiver"},
      {"--numbered-tokens", !embedded && !web, "btp+ws and ilp+http targets"},
      {"--no-drain-notice", !embedded && !web, "btp+ws and ilp+http targets"},
      {"--auth", requests, "http and ilp+http targets"},
      {"--connector", embedded, "an embedded target"},
      {"--connector-affinity", embedded, "an embedded target"},
      {"--pid", !embedded, "a target that runs already"},
      {"--container", !embedded, "a target that runs already"},
      {"--metrics", !embedded, "a target that runs already"},
      {"--data-bytes", !web, "packets, and http targets get none"},
      {"--amount", !web, "packets, and http targets get none"},
      {"--seed",
       !web || options.plan.arrivals == Arrivals::poisson || !options.plan.http.parts.empty(),
       "packets, --arrivals poisson, or --requests"},
      {"--arrivals", open_loop, "a --rate other than max"},
      {"--precision", open_loop, "a --rate other than max"},
  };
  for (const auto& [flag, useful, of_use] : rules) {
    if (useful || !command_.given(flag)) continue;
    return useless_flag(command_, flag, of_use);
  }
  return http_.check_useful(requests, web);
}

Result<RunOptions> RunFlags::checked() const {
  RunOptions options;
  auto target = parse_target(target_);
  if (!target) return target.error();
  options.target = *target;
  if (!receiver_.empty()) {
    auto receiver = receiver_flag("--receiver", receiver_);
    if (!receiver) return receiver.error();
    options.receiver = *receiver;
  }
  const bool pays = !target->is_embedded() && target->scheme->pays;
  if (pays && destination_.empty()) {
    return Error{ErrorKind::usage, "no account to pay on this target", "give --destination"};
  }
  if (!destination_.empty() && !wire::is_valid_address(destination_)) {
    return refused_flag("--destination", destination_, "an ILP address, such as test.slipway.bob");
  }
  options.plan.destination = destination_;
  options.target.understands_drain = !no_drain_notice_;
  if (options.receiver) options.receiver->understands_drain = !no_drain_notice_;
  for (const auto& checked :
       {check_load(options), http_.apply(options.plan.http), check_limits(options),
        check_cost(options), check_useful(options), check_authorization(options)}) {
    if (!checked) return checked.error();
  }
  const bool tls = target->tls || (options.receiver && options.receiver->tls) ||
                   (options.metrics && options.metrics->tls);
  auto tls_options = tls_.checked(tls);
  if (!tls_options) return tls_options.error();
  options.plan.tls = std::move(*tls_options);
  options.connector = connector_.empty() ? default_connector() : std::filesystem::path(connector_);
  options.output = output_;
  options.report = report_;
  options.hdr_log = hdr_log_;
  if (!report_.empty() && !report_.ends_with(".md") && !report_.ends_with(".html")) {
    return refused_flag("--report", report_, "a file name that ends in .html or .md");
  }
  options.json = json_;
  options.commit = commit_;
  options.branch = branch_;
  return options;
}

RunFlags::RunFlags(Flags& command, const RunDefaults& defaults)
    : command_(command), duration_(defaults.duration), warmup_(defaults.warmup), http_(command) {
  add_target_flags(command);
  add_load_flags(command, defaults.judged ? "packets a second, answered or not; or max"
                                          : "packets a second to begin with");
  http_.add("Load");
  add_generator_flags(command);
  if (defaults.judged) add_gate_flags(command);
  add_output_flags(command, defaults.judged);
}

void RunFlags::add_gate_flags(Flags& command) {
  const FlagGroup gate(command, "Gate");
  gate.add("--threshold-tps", "N", threshold_tps_,
           "least verified fulfilments/s [the rate; 0: none]");
  gate.add("--threshold-p99", "TIME", threshold_p99_, "longest p99, e.g. 5ms [none]");
  gate.add("--retries", "N", retries_, "repeat an invalid run up to this often")
      .show_default()
      .within(0, 20);
}

void RunFlags::add_target_flags(Flags& command) {
  const FlagGroup target(command, "Target");
  target.add("--target", "URL", target_, target_help())
      .environment("PACKET_BENCH_TARGET")
      .show_default();
  // On one line of the help; docs/packet-bench.md says more.
  const char* const peers = "to it; their kind";
  target.add("--connections", "N", connections_, peers).show_default().within(1, 10'000);
  target.add("--numbered-tokens", numbered_tokens_, peers);
  target.add("--no-drain-notice", no_drain_notice_, peers);
  target.add("--auth", "HOW", auth_, "bearer, basic:USER; and $PACKET_BENCH_SECRET");
  target.add("--destination", "ADDRESS", destination_, "ILP address of the account to pay");
  target.add("--receiver", "URL", receiver_, "play it too, over btp+ws://")
      .environment("PACKET_BENCH_RECEIVER");
  target.add_choice("--receiver-behaviour", "HOW", receiver_behaviour_,
                    {{"fulfill", ReceiverBehaviour::fulfill},
                     {"wrong-preimage", ReceiverBehaviour::wrong_preimage},
                     {"reject", ReceiverBehaviour::reject},
                     {"silent", ReceiverBehaviour::silent}},
                    "fulfill, wrong-preimage, reject or silent");
  target.add("--connector", "FILE", connector_, "executable of 'embedded' [beside this]");
  tls_.add(command, "Target");
  const char* const whose_cost = "process or docker container whose cost is shown";
  Flag pid = target.add("--pid", "N", pid_, whose_cost).within(1, 1 << 22);
  target.add("--container", "NAME", container_, whose_cost).excludes(pid);
  target.add("--metrics", "URL", metrics_, "http(s) page of its own figures: cost and counts");
}

void RunFlags::add_load_flags(Flags& command, const std::string& rate) {
  const FlagGroup load(command, "Load");
  load.add("--rate", "N", rate_, rate).show_default();
  load.add("--duration", "TIME", duration_, "of the measured window").show_default();
  load.add("--warmup", "TIME", warmup_, "before it, at the same rate").show_default();
  load.add_choice("--arrivals", "HOW", arrivals_,
                  {{"constant", Arrivals::constant}, {"poisson", Arrivals::poisson}},
                  "constant or poisson");
  load.add("--seed", "N", seed_, "of poisson arrivals and preimages [random]");
  load.add("--expiry", "TIME", expiry_, "of each packet").show_default();
  load.add("--data-bytes", "N", data_bytes_, "of each packet; data is 32 to 32767")
      .show_default()
      .within(32, wire::max_data);
  load.add("--amount", "N", amount_, "of each packet; data is 32 to 32767").show_default();
  load.add("--max-in-flight", "N", max_in_flight_, "beyond it packets are held back and late")
      .show_default();
}

void RunFlags::add_generator_flags(Flags& command) {
  const FlagGroup generator(command, "Generator");
  generator.add("--threads", "N", threads_, "sending loops").show_default();
  generator.add_choice("--precision", "normal|spin", precision_,
                       {{"normal", Precision::normal}, {"spin", Precision::spin}},
                       "to sleep or poll until a packet is due");
  generator.add_choice("--priority", "high|normal", high_priority_,
                       {{"high", true}, {"normal", false}},
                       "high: before other programs, if allowed");
  const char* const places = "processors for it, as 0,1";
  generator.add("--cpu-affinity", "LIST", cpu_affinity_, places)
      .separated_by(',')
      .within(0, CPU_SETSIZE - 1);
  generator.add("--connector-affinity", "LIST", connector_affinity_, places)
      .separated_by(',')
      .within(0, CPU_SETSIZE - 1);
}

void RunFlags::add_output_flags(Flags& command, bool judged) {
  const FlagGroup output(command, "Output");
  output.add("--output", "FILE", output_, "results; '' for none").show_default();
  if (judged) {
    output.add("--report", "FILE", report_, "FILE.html or FILE.md to write as well");
    output.add("--hdr-log", "FILE", hdr_log_, "HdrHistogram log of the latencies, likewise");
  }
  output.add("--json", json_, "the results on stdout instead of the summary");
  const char* const what = "under test [built in; asked of git]";
  output.add("--commit", "SHA", commit_, what);
  output.add("--branch", "NAME", branch_, what);
}

}  // namespace slipway::bench
