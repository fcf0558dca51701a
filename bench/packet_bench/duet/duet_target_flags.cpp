#include "packet_bench/duet/duet_target_flags.hpp"

#include "packet_bench/run/flag_values.hpp"
#include "wire/ilp_packet.hpp"

#include <algorithm>
#include <cctype>
#include <unistd.h>
#include <vector>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

Result<DuetTarget> executable(std::string_view flag, const std::string& text) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(text, ignored) || ::access(text.c_str(), X_OK) != 0) {
    return Error{ErrorKind::usage, fmt::format("{} '{}' is no executable file", flag, text),
                 "build it, or give another path, docker:IMAGE, or a URL"};
  }
  return std::filesystem::path(text);
}

constexpr std::string_view image_scheme = "docker:";

// `before`: what stands before the reference where the flag takes other things too.
Result<DuetTarget> image(const std::string& flag, const std::string& reference,
                         std::string_view before, const service::Service& service) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("._-/:@").find(c) != std::string_view::npos;
  };
  if (reference.empty() || std::isalnum(static_cast<unsigned char>(reference.front())) == 0 ||
      !std::all_of(reference.begin(), reference.end(), allowed)) {
    return refused_flag(flag, fmt::format("{}{}", before, reference),
                        fmt::format("{}NAME, with :TAG or @DIGEST", before));
  }
  const bool is_web = !service.gate.path.empty();
  return ImageTarget{reference, is_web ? std::optional(service) : std::nullopt};
}

}  // namespace

DuetTargetFlags::DuetTargetFlags(Side side) : flag_(fmt::format("--{}", side_names[side])) {}

void DuetTargetFlags::add(Flags& command, std::array<DuetTargetFlags*, 2> both) {
  const FlagGroup group(command, "The two");
  const auto variable = [&](const DuetTargetFlags* side) {
    return side == both[base] ? std::string("PACKET_BENCH_BASE") : "PACKET_BENCH_CANDIDATE";
  };
  std::vector<Flag> targets;
  for (DuetTargetFlags* const side : both) {
    targets.push_back(group.add(
        side->flag_, "TARGET", side->target_,
        "connector executable to start, docker:IMAGE to start a container of (then on both sides: "
        "a container costs, too), or a URL of what runs, as run's --target takes"));
    targets.back().environment(variable(side));
  }
  for (DuetTargetFlags* const side : both) {
    group.add(side->flag("image"), "IMAGE", side->image_, "short for docker:IMAGE")
        .excludes(targets[side == both[base] ? base : candidate]);
  }
  for (DuetTargetFlags* const side : both) {
    group.add(side->flag("destination"), "ADDRESS", side->destination_,
              "of the account to pay, if it runs");
  }
  for (DuetTargetFlags* const side : both) {
    group.add(side->flag("receiver"), "URL", side->receiver_, "play it too, over btp+ws://")
        .environment(variable(side) + "_RECEIVER");
  }
  std::vector<Flag> processes;
  for (DuetTargetFlags* const side : both) {
    processes.push_back(group.add(side->flag("pid"), "N", side->pid_,
                                  "whose cost is its own; both of them get priority"));
  }
  for (DuetTargetFlags* const side : both) {
    group.add(side->flag("container"), "NAME", side->container_, "docker container, likewise")
        .excludes(processes[side == both[base] ? base : candidate]);
  }
}

std::string DuetTargetFlags::flag(const char* suffix) const {
  return fmt::format("{}-{}", flag_, suffix);
}

Result<DuetTarget> DuetTargetFlags::checked(const service::Service& service) const {
  if (target_.empty() && image_.empty()) {
    return Error{ErrorKind::usage, fmt::format("{} is missing", flag_),
                 fmt::format("give {0} TARGET or {0}-image IMAGE", flag_)};
  }
  const bool is_image = !image_.empty() || target_.starts_with(image_scheme);
  if (!is_image && target_.find("://") != std::string::npos) return running(service);
  const bool more = !destination_.empty() || !receiver_.empty() || pid_ != 0 || !container_.empty();
  if (more) {
    return Error{ErrorKind::usage,
                 fmt::format("{0}-destination, {0}-receiver, {0}-pid and {0}-container are for a "
                             "connector that runs",
                             flag_),
                 fmt::format("give {} a URL, or leave them out", flag_)};
  }
  if (!image_.empty()) return image(flag("image"), image_, "", service);
  if (is_image) return image(flag_, target_.substr(image_scheme.size()), image_scheme, service);
  return executable(flag_, target_);
}

Result<DuetTarget> DuetTargetFlags::running(const service::Service& service) const {
  RunningTarget running;
  auto sender = parse_target(target_);
  if (!sender) return sender.error();
  running.sender = *sender;
  if (pid_ < 0) return refused_flag(flag("pid"), std::to_string(pid_), "a process id");
  if (pid_ > 0) running.cost.pid = pid_;
  running.cost.container = container_;
  if (sender->scheme->pays) return packets(std::move(running));
  if (!destination_.empty() || !receiver_.empty()) {
    return Error{ErrorKind::usage,
                 fmt::format("{0}-destination and {0}-receiver would do nothing: they are for "
                             "targets that packets are sent to",
                             flag_),
                 "leave them out"};
  }
  const bool has_path = running.sender.path != "/";
  if (!has_path && !service.gate.path.empty()) running.sender.path = service.gate.path;
  return running;
}

Result<DuetTarget> DuetTargetFlags::packets(RunningTarget running) const {
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
  return running;
}

}  // namespace slipway::bench
