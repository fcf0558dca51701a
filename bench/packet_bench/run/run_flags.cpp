#include "packet_bench/run/options.hpp"
#include "wire/ilp_packet.hpp"

#include <sched.h>

namespace slipway::bench {
namespace {

// Adds flags to one group of the help.
class Group {
 public:
  Group(Flags& command, const char* name) : command_(command), name_(name) {}

  // `type` is what the help calls the value.
  template <typename Value>
  Flag add(const char* flag, const char* type, Value& into, const std::string& text) const {
    return command_.add(flag, into, text).value_name(type).group(name_);
  }
  Flag add(const char* flag, bool& into, const std::string& text) const {
    return command_.add(flag, into, text).group(name_);
  }
  template <typename Value>
  Flag add_choice(const char* flag, const char* type, Value& into,
                  std::vector<std::pair<std::string, Value>> choices,
                  const std::string& text) const {
    return command_.add_choice(flag, into, std::move(choices), text).value_name(type).group(name_);
  }

 private:
  Flags& command_;
  const char* name_;
};

}  // namespace

RunFlags::RunFlags(Flags& command, const RunDefaults& defaults)
    : command_(command), duration_(defaults.duration), warmup_(defaults.warmup) {
  add_target_flags(command);
  add_load_flags(command, defaults.judged ? "packets a second, answered or not; or max"
                                          : "packets a second to begin with");
  add_generator_flags(command);
  if (defaults.judged) add_gate_flags(command);
  add_output_flags(command, defaults.judged);
}

void RunFlags::add_gate_flags(Flags& command) {
  const Group gate(command, "Gate");
  gate.add("--threshold-tps", "N", threshold_tps_,
           "least verified fulfilments/s [the rate; 0: none]");
  gate.add("--threshold-p99", "TIME", threshold_p99_, "longest p99, e.g. 5ms [none]");
  gate.add("--retries", "N", retries_, "repeat an invalid run up to this often")
      .show_default()
      .within(0, 20);
}

void RunFlags::add_target_flags(Flags& command) {
  const Group target(command, "Target");
  target.add("--target", "URL", target_, target_help())
      .environment("PACKET_BENCH_TARGET")
      .show_default();
  target.add("--connections", "N", connections_, "to the target").show_default().within(1, 10'000);
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
  const char* const trust = "TLS authorities [the system's], or trust anybody";
  Flag ca_file = target.add("--ca-file", "FILE", ca_file_, trust);
  target.add("--insecure", insecure_, trust).excludes(ca_file);
  const char* const whose_cost = "process or docker container whose cost is shown";
  Flag pid = target.add("--pid", "N", pid_, whose_cost).within(1, 1 << 22);
  target.add("--container", "NAME", container_, whose_cost).excludes(pid);
  target.add("--metrics", "URL", metrics_, "http(s) page of its own figures: cost and counts");
}

void RunFlags::add_load_flags(Flags& command, const std::string& rate) {
  const Group load(command, "Load");
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
  const char* const request = "of http requests: GET, or POST of the file";
  load.add("--method", "WORD", method_, request);
  load.add("--body", "FILE", body_, request);
  load.add("--header", "'NAME: VALUE'", headers_, "of http requests; repeatable");
  load.add("--pipeline", "N", pipeline_, "http requests in flight on a connection")
      .show_default()
      .within(1, 4096);
}

void RunFlags::add_generator_flags(Flags& command) {
  const Group generator(command, "Generator");
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
  const Group output(command, "Output");
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
