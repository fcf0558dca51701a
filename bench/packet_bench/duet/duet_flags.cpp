#include "packet_bench/duet/duet_flags.hpp"

#include "base/random.hpp"
#include "packet_bench/run/run_flags.hpp"
#include "packet_bench/target/btp_channel.hpp"
#include "wire/ilp_packet.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;

Result<DuetTarget> executable(std::string_view flag, const std::string& text) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(text, ignored) || ::access(text.c_str(), X_OK) != 0) {
    return Error{ErrorKind::usage, fmt::format("{} '{}' is no executable file", flag, text),
                 "build it, or give another path, docker:IMAGE, or a btp+ws:// URL"};
  }
  return std::filesystem::path(text);
}

constexpr std::string_view image_scheme = "docker:";

Result<DuetTarget> image(const std::string& flag, const std::string& text) {
  const std::string reference = text.substr(image_scheme.size());
  const auto allowed = [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("._-/:@").find(c) != std::string_view::npos;
  };
  if (reference.empty() || std::isalnum(static_cast<unsigned char>(reference.front())) == 0 ||
      !std::all_of(reference.begin(), reference.end(), allowed)) {
    return refused_flag(flag, text, "docker:NAME, with :TAG or @DIGEST");
  }
  return ImageTarget{reference};
}

// What one process uses is what these are about.
bool needs_cost(const DuetLimits& limits) {
  return limits.allowed[static_cast<std::size_t>(Metric::cpu)].deciding ||
         limits.allowed[static_cast<std::size_t>(Metric::memory)].deciding;
}

}  // namespace

DuetTargetFlags::DuetTargetFlags(Flags& command, Side side)
    : flag_(fmt::format("--{}", side_names[side])) {
  const std::string variable = side == base ? "PACKET_BENCH_BASE" : "PACKET_BENCH_CANDIDATE";
  const std::string group = fmt::format("The {}", side_names[side]);
  command
      .add(flag_, target_,
           "connector executable to start, docker:IMAGE to start a container of (then on both "
           "sides: a container costs, too), or btp+ws://:TOKEN@host:port/ (with TLS btp+wss) "
           "of one that runs")
      .environment(variable)
      .required()
      .value_name("TARGET")
      .group(group);
  const auto add = [&](const char* suffix, const char* type, auto& into, const char* text) {
    return command.add(flag(suffix), into, text).value_name(type).group(group);
  };
  add("destination", "ADDRESS", destination_, "of the account to pay, if it runs");
  add("receiver", "URL", receiver_, "play it too, over btp+ws://")
      .environment(variable + "_RECEIVER");
  Flag process = add("pid", "N", pid_, "whose cost is its own; both of them get priority");
  add("container", "NAME", container_, "docker container, likewise").excludes(process);
}

std::string DuetTargetFlags::flag(const char* suffix) const {
  return fmt::format("{}-{}", flag_, suffix);
}

Result<DuetTarget> DuetTargetFlags::checked() const {
  const bool is_image = target_.starts_with(image_scheme);
  if (!is_image && target_.find("://") != std::string::npos) return running();
  const bool more = !destination_.empty() || !receiver_.empty() || pid_ != 0 || !container_.empty();
  if (more) {
    return Error{ErrorKind::usage,
                 fmt::format("{0}-destination, {0}-receiver, {0}-pid and {0}-container are for a "
                             "connector that runs",
                             flag_),
                 fmt::format("give {} a btp+ws:// URL, or leave them out", flag_)};
  }
  return is_image ? image(flag_, target_) : executable(flag_, target_);
}

Result<DuetTarget> DuetTargetFlags::running() const {
  RunningTarget running;
  auto sender = parse_target(target_);
  if (!sender) return sender.error();
  if (sender->scheme != &btp_scheme) {
    return Error{ErrorKind::usage,
                 fmt::format("{} {}: a duet is played over BTP only", flag_, sender->text()),
                 "give a btp+ws:// or btp+wss:// URL; packet_bench run and compare take others"};
  }
  running.sender = *sender;
  if (!wire::is_valid_address(destination_)) {
    return refused_flag(flag("destination"), destination_,
                        "an ILP address, such as test.slipway.bob: the account to pay there");
  }
  running.destination = destination_;
  if (!receiver_.empty()) {
    auto receiver = receiver_flag(flag("receiver"), receiver_);
    if (!receiver) return receiver.error();
    running.receiver = *receiver;
  }
  if (pid_ < 0) return refused_flag(flag("pid"), std::to_string(pid_), "a process id");
  if (pid_ > 0) running.cost.pid = pid_;
  running.cost.container = container_;
  return running;
}

DuetFlags::DuetFlags(Flags& command) : base_(command, base), candidate_(command, candidate) {
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
  const char* const trust = "TLS authorities [the system's], or trust anybody";
  Flag ca_file = add("--ca-file", "FILE", ca_file_, trust);
  command.add("--insecure", insecure_, trust).group("Duet").excludes(ca_file);
  add("--output", "FILE", output_, "results file with all pairs, JSON");
  add("--report", "FILE", report_, "FILE.html or FILE.md to write as well");
  command.add("--json", json_, "the results on stdout instead of the summary").group("Duet");
  command.add("--test-extra-cpu", extra_cpu_, "percent, of the candidate").group("");
  command.footer(
      "Examples:\n"
      "  packet_bench duet --base old/connector --candidate new/connector\n"
      "  packet_bench duet --base old/connector --candidate new/connector \\\n"
      "    --max-worse cpu=2%,p99=30% --report duet.md");
}

// A metric that decides and cannot be seen would leave every duet inconclusive.
Result<void> DuetFlags::check_targets(DuetOptions& options) const {
  bool tls = false;
  for (const DuetTargetFlags* flags : {&base_, &candidate_}) {
    auto target = flags->checked();
    if (!target) return target.error();
    const Side side = flags == &base_ ? base : candidate;
    if (const auto* running = std::get_if<RunningTarget>(&*target)) {
      tls = tls || running->sender.tls || (running->receiver && running->receiver->tls);
      if (!running->cost.visible() && needs_cost(options.limits)) {
        return Error{
            ErrorKind::usage,
            fmt::format("what the {} uses is not to be seen, and it decides", side_names[side]),
            fmt::format("give --{0}-pid or --{0}-container, or let only others decide, as "
                        "--max-worse rate=1%,p50=10%",
                        side_names[side])};
      }
    }
    options.targets[side] = *target;
  }
  const auto& [one, other] = options.targets;
  if (std::holds_alternative<ImageTarget>(one) != std::holds_alternative<ImageTarget>(other) &&
      std::holds_alternative<std::filesystem::path>(one) !=
          std::holds_alternative<std::filesystem::path>(other)) {
    return Error{ErrorKind::usage, "an image is not compared with an executable",
                 "give docker:IMAGE on both sides, or on none"};
  }
  if (!tls && (!ca_file_.empty() || insecure_)) {
    return Error{ErrorKind::usage, "--ca-file and --insecure are for targets with TLS",
                 "name a btp+wss target, or leave them out"};
  }
  options.tls = {.ca_file = ca_file_, .insecure = insecure_};
  if (extra_cpu_ != 0 && std::holds_alternative<RunningTarget>(options.targets[candidate])) {
    return Error{ErrorKind::usage, "--test-extra-cpu is for a candidate that is started",
                 "leave it out"};
  }
  return {};
}

Result<DuetOptions> DuetFlags::checked() const {
  DuetOptions options;
  if (!(rate_ >= 100 && rate_ <= 1e6)) {
    return refused_flag("--rate", fmt::format("{}", rate_), "100 to 1000000 packets a second");
  }
  options.rate = rate_;
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
  if (!max_worse_.empty()) {
    const auto applied = apply_max_worse(max_worse_, options.limits);
    if (!applied) return applied.error();
  }
  const auto targets = check_targets(options);
  if (!targets) return targets.error();
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
