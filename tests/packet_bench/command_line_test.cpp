// What scripts rely on: exit statuses, one line of error, and a results file that survives.
#include "base/json.hpp"
#include "packet_bench/driver.hpp"
#include "support/catch.hpp"
#include "support/loopback_port.hpp"

#include <algorithm>
#include <filesystem>
#include <signal.h>
#include <sstream>
#include <unistd.h>

using namespace slipway;
using namespace slipway::test;
using namespace std::chrono_literals;

namespace {

// A port on loopback: listening and silent, or with nobody there.
class Port {
 public:
  explicit Port(bool listening) : port_(listening) {}
  ~Port() {
    if (answerer_.joinable()) answerer_.join();
  }
  // Answers the first connection with `text`.
  void answer_once(std::string text) {
    answerer_ = std::thread([this, text = std::move(text)] {
      const UniqueFd peer = port_.accept();
      char request[4096];
      (void)::read(peer.get(), request, sizeof request);
      (void)::write(peer.get(), text.data(), text.size());
      (void)::read(peer.get(), request, sizeof request);
    });
  }
  std::string url(const std::string& scheme = "btp+ws") const {
    return fmt::format("{}://:s3cr@127.0.0.1:{}/", scheme, port_.number());
  }

 private:
  LoopbackPort port_;
  std::thread answerer_;
};

void check_one_line(const BenchRun& run) {
  INFO(run.err);
  CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
  CHECK(run.err.starts_with("packet_bench: error: "));
  CHECK(run.err.find("s3cr") == std::string::npos);
}

// A command line, and what is wrong with it.
struct Refusal {
  std::string command;
  std::vector<std::string> flags;
  std::string complaint;
};

void check_refused(const Refusal& wanted) {
  std::vector<std::string> argv{PACKET_BENCH, wanted.command};
  argv.insert(argv.end(), wanted.flags.begin(), wanted.flags.end());
  const auto output = run_command({.argv = argv});
  INFO(wanted.command << ": " << wanted.complaint);
  REQUIRE(output.has_value());
  CHECK(output->exit_status == 2);
  CHECK_THAT(output->err, ContainsSubstring(wanted.complaint));
  check_one_line({output->exit_status, output->out, output->err, nullptr});
}

}  // namespace

TEST_CASE("the help of every command fits two screens and ends with examples", "[command_line]") {
  const std::string command =
      GENERATE("", "run", "search", "duet", "compare", "power", "power record", "power replay");
  const auto output =
      run_command({.argv = {"sh", "-c", fmt::format("exec {} {} --help", PACKET_BENCH, command)}});
  REQUIRE(output.has_value());
  INFO(output->out);
  CHECK(output->exit_status == 0);
  CHECK(output->err.empty());
  CHECK(std::count(output->out.begin(), output->out.end(), '\n') <= 48);
  std::istringstream lines(output->out);
  bool examples = false;
  for (std::string line; std::getline(lines, line);) {
    CHECK(line.size() <= 80);
    if (line == "Examples:") {
      examples = true;
    } else if (examples) {
      const bool continued = line.starts_with("    ");
      CHECK((continued || line.starts_with("  packet_bench " + command)));
    }
  }
  CHECK(examples);
}

TEST_CASE("bad input is refused with status 2 and one line", "[command_line]") {
  const std::vector<std::string> bad = GENERATE(
      std::vector<std::string>{"--no-such-flag"}, std::vector<std::string>{"--rate", "-1"},
      std::vector<std::string>{"--rate", "0"}, std::vector<std::string>{"--rate", "nan"},
      std::vector<std::string>{"--rate", "1e300"}, std::vector<std::string>{"--rate", "fast"},
      std::vector<std::string>{"--rate", "1e4x"}, std::vector<std::string>{"--rate", ""},
      std::vector<std::string>{"--duration", "10"}, std::vector<std::string>{"--duration", "0s"},
      std::vector<std::string>{"--target", "ftp://:s3cr@host/"},
      std::vector<std::string>{"--target", "btp+ws://:s3cr@host:1/"},
      std::vector<std::string>{"--arrivals", "bursts"},
      std::vector<std::string>{"--threshold-tps", "-3"},
      std::vector<std::string>{"--output", "/no/such/folder/results.json"},
      std::vector<std::string>{"--output", "/"}, std::vector<std::string>{"--connections", "0"},
      std::vector<std::string>{"--threads", "2"},
      std::vector<std::string>{"--metrics", "btp+ws://:s3cr@host/"},
      std::vector<std::string>{"--target", "http://host/", "--insecure"},
      std::vector<std::string>{"--report", "x.pdf"});
  const TemporaryDirectory folder;
  std::vector<std::string> arguments = bad;
  if (bad[0] == "--output") {
    // The driver's own --output comes first; the last one counts only if it is the only one.
    const auto output = run_command({.argv = {PACKET_BENCH, "run", bad[0], bad[1]}});
    check_one_line({output->exit_status, output->out, output->err, nullptr});
    CHECK(output->exit_status == 2);
    return;
  }
  const BenchRun run = packet_bench(arguments, folder);
  INFO(bad.back());
  CHECK(run.exit_status == 2);
  check_one_line(run);
}

TEST_CASE("a flag that would do nothing is refused, not ignored", "[command_line]") {
  const std::vector<std::string> btp{"--target", "btp+ws://:s3cr@host:1/", "--destination", "g.b"};
  const std::vector<std::string> http{"--target", "http://:s3cr@host:1/"};
  const std::vector<std::string> own;
  const auto with = [](std::vector<std::string> target, const std::vector<std::string>& more) {
    target.insert(target.end(), more.begin(), more.end());
    return target;
  };
  const std::string search = "packet_bench search does not take ";
  const auto nothing = [](const std::string& flag, const std::string& of_use) {
    return flag + " would do nothing: it is for " + of_use + "; leave it out";
  };
  const std::string receiver =
      nothing("--receiver", "btp+ws and ilp+http targets") + ", and PACKET_BENCH_RECEIVER unset";
  const std::string running = "a target that runs already";
  const std::string link = "btp+ws://:s3cr@host:2/";
  const std::vector<Refusal> cases{
      {"search", {"--report", "s3cr.md"}, search + "--report, which is for run, duet, compare;"},
      {"search", {"--hdr-log=s3cr"}, search + "--hdr-log, which is for run;"},
      {"search", {"--retries", "2"}, search + "--retries, which is for run;"},
      {"search", {"--threshold-tps", "9"}, search + "--threshold-tps, which is for run;"},
      {"search", {"--threshold-p99", "9ms"}, search + "--threshold-p99, which is for run;"},
      {"search", {link}, search + "'btp+ws'; see 'packet_bench search --help'"},
      {"search", with(btp, {"--method", "GET"}), nothing("--method", "http targets")},
      {"compare", {"a", "b", "--json"}, "compare does not take --json, which is for run, search"},
      {"compare", {"a", "b", "--report", "x.html"}, "--report 'x.html' makes no sense"},
      {"run", {"--target", "http://h/", "--slo-p99", "9ms"}, "--slo-p99, which is for search;"},
      {"run", with(btp, {"--method", "GET"}), nothing("--method", "http targets")},
      {"run", with(btp, {"--body", "/dev/null"}), nothing("--body", "http targets")},
      {"run", with(btp, {"--header", "A: b"}), nothing("--header", "http and ilp+http targets")},
      {"run", with(btp, {"--pipeline", "1"}), nothing("--pipeline", "http and ilp+http targets")},
      {"run", with(btp, {"--served", "status=200"}), nothing("--served", "http targets")},
      {"search", with(btp, {"--served", "body=x"}), nothing("--served", "http targets")},
      {"run", with(http, {"--served", "json=/status"}), "--served 'json=/status' makes no sense"},
      {"run", with(http, {"--served", "body=("}), "served body '(' is no regular expression"},
      {"run", with(btp, {"--connector", "c"}), nothing("--connector", "an embedded target")},
      {"run", with(btp, {"--connector-affinity", "0"}),
       nothing("--connector-affinity", "an embedded target")},
      {"run", with(btp, {"--receiver-behaviour", "silent"}),
       nothing("--receiver-behaviour", "embedded, or with --receiver")},
      {"run", with(btp, {"--pid", "1", "--container", "c"}), "--pid excludes --container;"},
      {"run",
       {"--target", "https://h/", "--insecure", "--ca-file", "f"},
       "--ca-file excludes --insecure;"},
      {"run", with(http, {"--destination", "g.b"}),
       nothing("--destination", "btp+ws and ilp+http targets")},
      {"run", with(http, {"--receiver", link}), receiver},
      {"run", with(http, {"--data-bytes", "64"}),
       nothing("--data-bytes", "packets, and http targets get none")},
      {"run", with(http, {"--amount", "1"}),
       nothing("--amount", "packets, and http targets get none")},
      {"run", with(http, {"--seed", "1"}),
       nothing("--seed", "packets, --arrivals poisson, or --requests")},
      {"run", with(http, {"--rate", "max", "--arrivals", "poisson"}),
       nothing("--arrivals", "a --rate other than max")},
      {"run", with(http, {"--rate", "max", "--precision", "spin"}),
       nothing("--precision", "a --rate other than max")},
      {"run", {"--receiver", link}, receiver},
      {"run", {"--destination", "g.b"}, nothing("--destination", "btp+ws and ilp+http targets")},
      {"run", {"--pid", "1"}, nothing("--pid", running)},
      {"run", {"--container", "c"}, nothing("--container", running)},
      {"run", {"--metrics", "http://h/"}, nothing("--metrics", running)},
  };
  for (const Refusal& wanted : cases) check_refused(wanted);
}

TEST_CASE("a target that cannot be used is status 3, and older results stay", "[command_line]") {
  const TemporaryDirectory folder;
  const auto results = folder.path() / "benchmark-results.json";
  REQUIRE(write_durably(results, "{\"older\":true}").has_value());
  std::string url;
  Port nobody(false);
  Port somebody(true);
  SECTION("nobody listens") {
    url = nobody.url();
  }
  SECTION("it speaks something else") {
    somebody.answer_once("220 mail.example.test ESMTP\r\n");
    url = somebody.url();
  }
  SECTION("it is a web server") {
    somebody.answer_once("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    url = somebody.url();
  }
  SECTION("it does not speak TLS") {
    somebody.answer_once("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    url = somebody.url("https");
  }
  SECTION("its host does not exist") {
    url = "btp+ws://:s3cr@no-such-host.invalid:1/";
  }
  SECTION("the connector is missing") {
    url = "embedded";
  }
  std::vector<std::string> arguments{"--target", url};
  if (url.starts_with("btp")) arguments.insert(arguments.end(), {"--destination", "test.a"});
  if (url == "embedded") arguments = {"--connector", "/no/such/connector"};
  const BenchRun run = packet_bench(arguments, folder);
  CHECK(run.exit_status == 3);
  check_one_line(run);
  CHECK(run.results == nlohmann::json{{"older", true}});
}

TEST_CASE("the cost of a container is that of the process the engine names", "[command_line]") {
  const TemporaryDirectory folder;
  PacedTarget target({});
  // An engine that knows two containers; the control group of the first one's process names it.
  const auto engine = folder.path() / "docker";
  REQUIRE(write_durably(engine, fmt::format("#!/bin/sh\nfor last; do :; done\n"
                                            "[ \"$last\" = slipway-far ] && echo {0} 5f2a && exit\n"
                                            "[ \"$last\" = slipway-blue ] && echo {0} /\n",
                                            target.pid()))
              .has_value());
  std::filesystem::permissions(engine, std::filesystem::perms::owner_all);
  const auto run_for = [&](const std::string& container) {
    Environment environment = current_environment();
    environment["PATH"] = folder.path().string() + ":" + environment["PATH"];
    return run_command({.argv = {PACKET_BENCH, "run", "--target", target.url(), "--destination",
                                 "test.a", "--duration", "500ms", "--warmup", "0s", "--rate",
                                 "1000", "--output", "", "--json", "--container", container},
                        .environment = environment});
  };
  const auto known = run_for("slipway-blue");
  REQUIRE(known.has_value());
  INFO(known->err);
  REQUIRE(known->exit_status == 0);
  const auto cost = parse_json(known->out)["details"]["targetCost"];
  CHECK(cost["cpuPercent"].get<double>() > 0);
  CHECK(cost["memoryMb"].get<double>() > 0);
  const auto elsewhere = run_for("slipway-far");
  REQUIRE(elsewhere.has_value());
  CHECK(elsewhere->exit_status == 2);
  CHECK_THAT(elsewhere->err, ContainsSubstring("not to be seen from here"));
  const auto unknown = run_for("slipway-pink");
  REQUIRE(unknown.has_value());
  CHECK(unknown->exit_status == 2);
  CHECK_THAT(unknown->err, ContainsSubstring("no such container"));
}

TEST_CASE("a full disk leaves the older results and is no pass", "[command_line]") {
  const TemporaryDirectory folder;
  const auto results = folder.path() / "benchmark-results.json";
  REQUIRE(write_durably(results, "{\"older\":true}").has_value());
  const PacedTarget target({});
  // No file may grow at all: what a full disk does to a writer.
  const auto output = run_command(
      {.argv = {"sh", "-c",
                fmt::format("trap '' XFSZ; ulimit -f 0; exec {} run --target {} --destination "
                            "test.a --duration 300ms --warmup 0s --rate 100 --output {}",
                            PACKET_BENCH, target.url(), results.string())}});
  REQUIRE(output.has_value());
  INFO(output->err);
  CHECK(output->exit_status == 4);
  CHECK_THAT(output->err, ContainsSubstring("cannot write"));
  CHECK(*read_file(results) == "{\"older\":true}");
}

TEST_CASE("an interrupted run says what it saw and exits 130", "[command_line]") {
  const TemporaryDirectory folder;
  const std::string results = (folder.path() / "results.json").string();
  PacedTarget target({"--tell", "200"});
  auto child = Child::start(
      {.argv = {PACKET_BENCH, "run", "--target", target.url(), "--destination", "test.a",
                "--duration", "1h", "--warmup", "0s", "--rate", "1000", "--output", results},
       .output_file = (folder.path() / "output").string()});
  REQUIRE(child.has_value());
  target.await_answers();
  child->send_signal(SIGINT);
  while (!child->exit_status()) std::this_thread::sleep_for(5ms);
  CHECK(*child->exit_status() == 130);
  const auto json = parse_json(*read_file(results));
  CHECK(json["passed"] == false);
  CHECK(json["details"]["interrupted"] == true);
  CHECK(json["details"]["packets"]["fulfilled"].get<int>() > 100);
  CHECK(json["details"]["packets"]["fulfilled"] == json["details"]["packets"]["planned"]);
}

TEST_CASE("flag --json prints the results and nothing else on stdout", "[command_line]") {
  const TemporaryDirectory folder;
  const PacedTarget target({});
  const BenchRun run =
      packet_bench({"--target", target.url(), "--destination", "test.a", "--duration", "300ms",
                    "--warmup", "0s", "--rate", "100", "--json"},
                   folder);
  CHECK(run.exit_status == 0);
  CHECK(parse_json(run.out) == run.results);
}
