#include "packet_bench/duet/duet_flags.hpp"

#include "base/random.hpp"
#include "packet_bench/run/flag_values.hpp"

#include <array>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;

// What one process uses is what these are about.
bool needs_cost(const DuetLimits& limits) {
  return limits.allowed[static_cast<std::size_t>(Metric::cpu)].deciding ||
         limits.allowed[static_cast<std::size_t>(Metric::memory)].deciding;
}

// Whether it is asked in HTTP requests, of whatever content.
bool is_asked(const DuetTarget& target) {
  const auto* running = std::get_if<RunningTarget>(&target);
  return is_web(target) || (running != nullptr && running->sender.scheme->requests);
}

bool has_tls(const DuetTarget& target) {
  const auto* running = std::get_if<RunningTarget>(&target);
  return running != nullptr &&
         (running->sender.tls || (running->receiver && running->receiver->tls));
}

}  // namespace

DuetFlags::DuetFlags(Flags& command) : command_(command), service_(command) {
  DuetTargetFlags::add(command, {&base_, &candidate_});
  service_.add();
  const auto add = [&command](const char* flag, const char* type, auto& into, const char* text) {
    return command.add(flag, into, text).value_name(type).group("Duet");
  };
  add("--rate", "N", rate_, "packets a second, to each of the two").show_default();
  add("--max-duration", "TIME", max_duration_, "when not clear before; then inconclusive")
      .show_default();
  add("--max-worse", "LIST", max_worse_,
      "metrics that decide, and how much worse the candidate may be, of cpu, rate, p50, p99, "
      "memory [cpu=1.5%,rate=1%]")
      .environment("PACKET_BENCH_MAX_WORSE");
  add("--round", "TIME", round_, "before what was started is started anew").show_default();
  add("--slice", "TIME", slice_, "of each pair").show_default();
  add("--warmup", "TIME", warmup_, "of each round, not measured").show_default();
  add("--seed", "N", seed_, "of the orders [random]");
  tls_.add(command, "Duet");
  add("--output", "FILE", output_, "results file with all pairs, JSON");
  add("--report", "FILE", report_, "FILE.html or FILE.md to write as well");
  command.add("--json", json_, "the results on stdout instead of the summary").group("Duet");
  command.add("--test-extra-cpu", extra_cpu_, "percent, of the candidate").group("");
  command.footer(
      "Examples:\n"
      "  packet_bench duet --base old/connector --candidate new/connector \\\n"
      "    --max-worse cpu=2%,p99=30% --report duet.md\n"
      "  packet_bench duet --base-image OLD --candidate-image NEW --service slipway.yml");
}

// A metric that decides and cannot be seen would leave every duet inconclusive.
Result<void> DuetFlags::check_targets(const service::Service& service, DuetOptions& options) const {
  for (const DuetTargetFlags* flags : {&base_, &candidate_}) {
    auto target = flags->checked(service);
    if (!target) return target.error();
    const Side side = flags == &base_ ? base : candidate;
    const auto* running = std::get_if<RunningTarget>(&*target);
    if (running != nullptr && !running->cost.visible() && needs_cost(options.limits)) {
      return Error{
          ErrorKind::usage,
          fmt::format("what the {} uses is not to be seen, and it decides", side_names[side]),
          fmt::format("give --{0}-pid or --{0}-container, or let only others decide, as "
                      "--max-worse rate=1%,p50=10%",
                      side_names[side])};
    }
    options.targets[side] = *target;
  }
  return {};
}

Result<void> DuetFlags::check_kinds(const DuetOptions& options) const {
  const auto& [one, other] = options.targets;
  if (std::holds_alternative<ImageTarget>(one) != std::holds_alternative<ImageTarget>(other) &&
      std::holds_alternative<std::filesystem::path>(one) !=
          std::holds_alternative<std::filesystem::path>(other)) {
    return Error{ErrorKind::usage, "an image is not compared with an executable",
                 "give docker:IMAGE on both sides, or on none"};
  }
  if (is_web(one) != is_web(other)) {
    return Error{ErrorKind::usage, "what packets are sent to is not compared with a web server",
                 "give http:// URLs, or images and what they are asked, on both sides or on none"};
  }
  if (extra_cpu_ != 0 && std::holds_alternative<RunningTarget>(other)) {
    return Error{ErrorKind::usage, "--test-extra-cpu is for a candidate that is started",
                 "leave it out"};
  }
  const bool image =
      std::holds_alternative<ImageTarget>(one) || std::holds_alternative<ImageTarget>(other);
  return service_.check_useful(image, is_asked(one) || is_asked(other), is_web(one));
}

Result<void> DuetFlags::check_tls(DuetOptions& options) const {
  const bool tls = has_tls(options.targets[base]) || has_tls(options.targets[candidate]);
  auto tls_options = tls_.checked(tls);
  if (!tls_options) return tls_options.error();
  options.tls = std::move(*tls_options);
  return {};
}

Result<void> DuetFlags::check_limits(const service::Service& service, DuetOptions& options) const {
  options.rate = rate_;
  if (service_.has_file()) {
    if (!command_.given("--rate")) options.rate = service.gate.rate;
    const auto allow = [&](Metric metric, double worse) {
      options.limits.allowed[static_cast<std::size_t>(metric)].worsening = worse;
    };
    allow(Metric::cpu, service.gate.worse_cpu);
    allow(Metric::rate, service.gate.worse_rate);
  }
  if (!(options.rate >= 100 && options.rate <= 1e6)) {
    return refused_flag("--rate", fmt::format("{}", options.rate),
                        "100 to 1000000 packets a second");
  }
  if (max_worse_.empty()) return {};
  return apply_max_worse(max_worse_, options.limits);
}

Result<void> DuetFlags::check_times(DuetOptions& options) const {
  const struct {
    const char* flag;
    const std::string& text;
    std::chrono::nanoseconds& into;
    std::chrono::nanoseconds least;
    std::chrono::nanoseconds most;
  } durations[] = {{"--max-duration", max_duration_, options.max_duration, 5s, 24h},
                   {"--warmup", warmup_, options.warmup, 0ns, 1min},
                   {"--slice", slice_, options.slice, 50ms, 1min},
                   {"--round", round_, options.round, 500ms, 1h}};
  for (const auto& [flag, text, into, least, most] : durations) {
    const auto duration = duration_flag(flag, text, least, most);
    if (!duration) return duration.error();
    into = *duration;
  }
  return {};
}

Result<DuetOptions> DuetFlags::checked() const {
  DuetOptions options;
  const auto service = service_.checked();
  if (!service) return service.error();
  if (const auto ok = check_limits(*service, options); !ok) return ok.error();
  if (const auto ok = check_times(options); !ok) return ok.error();
  if (const auto ok = check_targets(*service, options); !ok) return ok.error();
  if (const auto ok = check_kinds(options); !ok) return ok.error();
  if (const auto ok = check_tls(options); !ok) return ok.error();
  if (is_asked(options.targets[base]) || is_asked(options.targets[candidate])) {
    auto request = service_.request(*service);
    if (!request) return request.error();
    options.http = std::move(*request);
    options.connections = static_cast<unsigned>(service->gate.connections);
  }
  if (extra_cpu_ < 0 || extra_cpu_ > 1000) {
    return refused_flag("--test-extra-cpu", std::to_string(extra_cpu_), "0 to 1000");
  }
  options.extra_cpu_percent[candidate] = extra_cpu_;
  if (!report_.empty() && !report_.ends_with(".md") && !report_.ends_with(".html")) {
    return refused_flag("--report", report_, "a file name that ends in .html or .md");
  }
  options.seed = seed_ != 0 ? seed_ : random_seed();
  options.output = output_;
  options.report = report_;
  options.json = json_;
  return options;
}

}  // namespace slipway::bench
