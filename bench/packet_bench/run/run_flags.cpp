#include "packet_bench/run/options.hpp"

#include <CLI/CLI.hpp>

namespace slipway::bench {
namespace {

// Adds flags to one group of the help.
class Group {
 public:
  Group(CLI::App& command, const char* name) : command_(command), name_(name) {}

  // `type` is what the help calls the value.
  template <typename Value>
  CLI::Option* add(const char* flag, const char* type, Value& into, const std::string& text) const {
    return command_.add_option(flag, into, text)->type_name(type)->group(name_);
  }
  CLI::Option* add(const char* flag, bool& into, const std::string& text) const {
    return command_.add_flag(flag, into, text)->group(name_);
  }

 private:
  CLI::App& command_;
  const char* name_;
};

}  // namespace

RunFlags::RunFlags(CLI::App& command, const RunDefaults& defaults)
    : command_(command), duration_(defaults.duration), warmup_(defaults.warmup) {
  add_target_flags(command);
  add_load_flags(command, defaults.judged ? "packets a second, answered or not; or max"
                                          : "packets a second to begin with");
  add_generator_flags(command);
  if (defaults.judged) add_gate_flags(command);
  add_output_flags(command, defaults.judged);
}

void RunFlags::add_gate_flags(CLI::App& command) {
  const Group gate(command, "Gate");
  gate.add("--threshold-tps", "N", threshold_tps_,
           "least verified fulfilments/s [the rate; 0: none]");
  gate.add("--threshold-p99", "TIME", threshold_p99_, "longest p99, e.g. 5ms [none]");
  gate.add("--retries", "N", retries_, "repeat an invalid run up to this often")
      ->capture_default_str();
}

void RunFlags::add_target_flags(CLI::App& command) {
  const Group target(command, "Target");
  target
      .add("--target", "URL", target_,
           "embedded, btp+ws://:TOKEN@host:port/path, ilp+http://..., http://..., or with TLS "
           "btp+wss, ilp+https, https")
      ->envname("PACKET_BENCH_TARGET")
      ->capture_default_str();
  target.add("--connections", "N", connections_, "to the target")->capture_default_str();
  target.add("--destination", "ADDRESS", destination_, "ILP address of the account to pay");
  target.add("--receiver", "URL", receiver_, "play it too, over btp+ws://")
      ->envname("PACKET_BENCH_RECEIVER");
  target
      .add("--receiver-behaviour", "HOW", receiver_behaviour_,
           "fulfill, wrong-preimage, reject or silent")
      ->capture_default_str();
  target.add("--connector", "FILE", connector_, "executable of 'embedded' [beside this]");
  const char* const trust = "TLS authorities [the system's], or trust anybody";
  CLI::Option* const ca_file = target.add("--ca-file", "FILE", ca_file_, trust);
  target.add("--insecure", insecure_, trust)->excludes(ca_file);
  const char* const whose_cost = "process or docker container whose cost is shown";
  CLI::Option* const pid = target.add("--pid", "N", pid_, whose_cost);
  target.add("--container", "NAME", container_, whose_cost)->excludes(pid);
  target.add("--metrics", "URL", metrics_, "http(s) page of its own figures: cost and counts");
}

void RunFlags::add_load_flags(CLI::App& command, const std::string& rate) {
  const Group load(command, "Load");
  load.add("--rate", "N", rate_, rate)->capture_default_str();
  load.add("--duration", "TIME", duration_, "of the measured window")->capture_default_str();
  load.add("--warmup", "TIME", warmup_, "before it, at the same rate")->capture_default_str();
  load.add("--arrivals", "HOW", arrivals_, "constant or poisson")->capture_default_str();
  load.add("--seed", "N", seed_, "of poisson arrivals and preimages [random]");
  load.add("--expiry", "TIME", expiry_, "of each packet")->capture_default_str();
  load.add("--data-bytes", "N", data_bytes_, "of each packet; data is 32 to 32767")
      ->capture_default_str();
  load.add("--amount", "N", amount_, "of each packet; data is 32 to 32767")->capture_default_str();
  load.add("--max-in-flight", "N", max_in_flight_, "beyond it packets are held back and late")
      ->capture_default_str();
  const char* const request = "of http requests: GET, or POST of the file";
  load.add("--method", "WORD", method_, request);
  load.add("--body", "FILE", body_, request);
  load.add("--header", "'NAME: VALUE'", headers_, "of http requests; repeatable");
  load.add("--pipeline", "N", pipeline_, "http requests in flight on a connection")
      ->capture_default_str();
}

void RunFlags::add_generator_flags(CLI::App& command) {
  const Group generator(command, "Generator");
  generator.add("--threads", "N", threads_, "sending loops")->capture_default_str();
  generator.add("--precision", "normal|spin", precision_, "to sleep or poll until a packet is due")
      ->capture_default_str();
  generator.add("--priority", "high|normal", priority_, "high: before other programs, if allowed")
      ->capture_default_str();
  const char* const places = "processors for it, as 0,1";
  generator.add("--cpu-affinity", "LIST", cpu_affinity_, places)->delimiter(',');
  generator.add("--connector-affinity", "LIST", connector_affinity_, places)->delimiter(',');
}

void RunFlags::add_output_flags(CLI::App& command, bool judged) {
  const Group output(command, "Output");
  output.add("--output", "FILE", output_, "results; '' for none")->capture_default_str();
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
