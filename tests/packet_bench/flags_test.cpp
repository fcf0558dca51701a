// Flags whose effect shows only at the other end: at the server, the connector, or in the results.
#include "base/json.hpp"
#include "packet_bench/running_connector.hpp"
#include "packet_bench/truth.hpp"
#include "support/catch.hpp"
#include "support/loopback_port.hpp"
#include "wire/ilp_packet.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace slipway;
using namespace slipway::test;
using namespace std::chrono_literals;

namespace {

// A web server that takes one connection, keeps each request as it came and answers alike.
class Recorder {
 public:
  explicit Recorder(std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
      : answer_(std::move(answer)), server_([this] { serve(); }) {}
  ~Recorder() { finish(); }
  std::string host() const { return fmt::format("127.0.0.1:{}", port_.number()); }
  // Once the client has gone: all requests.
  const std::vector<std::string>& finish() {
    port_.stop();  // nobody may be waited for who never came
    if (server_.joinable()) server_.join();
    return requests_;
  }

 private:
  void serve() {
    const UniqueFd peer = port_.accept();
    std::string input;
    char bytes[65536];
    for (ssize_t got; (got = ::read(peer.get(), bytes, sizeof bytes)) > 0;) {
      input.append(bytes, static_cast<std::size_t>(got));
      while (const std::size_t size = whole_request(input)) {
        requests_.push_back(input.substr(0, size));
        input.erase(0, size);
        (void)::send(peer.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
      }
    }
  }
  static std::size_t whole_request(const std::string& input) {
    const std::size_t head = input.find("\r\n\r\n");
    if (head == std::string::npos) return 0;
    constexpr std::string_view field = "\r\nContent-Length: ";
    const std::size_t length = input.find(field);
    const std::size_t body = length < head ? std::stoul(input.substr(length + field.size())) : 0;
    return input.size() >= head + 4 + body ? head + 4 + body : 0;
  }

  LoopbackPort port_;
  std::string answer_;
  std::vector<std::string> requests_;
  std::thread server_;
};

// The most packets that were unanswered at once, by the target's own log.
std::size_t most_outstanding(const std::vector<PacedTarget::Packet>& packets) {
  std::vector<std::pair<std::int64_t, int>> changes;
  for (const auto& packet : packets) {
    changes.emplace_back(packet.arrival, 1);
    changes.emplace_back(packet.answer, -1);
  }
  std::sort(changes.begin(), changes.end());
  int now = 0;
  int most = 0;
  for (const auto& [when, change] : changes) most = std::max(most, now += change);
  return static_cast<std::size_t>(most);
}

}  // namespace

TEST_CASE("method, headers and body reach a web server as given", "[flags]") {
  const TemporaryDirectory folder;
  const std::string body("first\r\n\r\nsecond \0 \xff\n", 18);
  const std::string file = (folder.path() / "body").string();
  REQUIRE(write_durably(file, body).has_value());
  struct Case {
    std::vector<std::string> flags;
    std::string method;
    std::string rest;
  };
  const std::string sized = fmt::format("Content-Length: {}\r\n\r\n", body.size()) + body;
  const std::vector<Case> cases{{{}, "GET", "\r\n"},
                                {{"--method", "POST"}, "POST", "Content-Length: 0\r\n\r\n"},
                                {{"--body", file}, "POST", sized},
                                {{"--method", "GET", "--body", file}, "GET", sized}};
  const Case wanted = cases[GENERATE(0u, 1u, 2u, 3u)];
  Recorder server;
  std::vector<std::string> arguments{
      "--target",   fmt::format("http://:tok@{}/a?b=c", server.host()),
      "--rate",     "100",
      "--duration", "200ms",
      "--warmup",   "0s",
      "--header",   "X-One: 1",
      "--header",   "X-Two: a: b"};
  arguments.insert(arguments.end(), wanted.flags.begin(), wanted.flags.end());
  const BenchRun run = packet_bench(arguments, folder);
  INFO(run.out << run.err);
  const auto& requests = server.finish();
  CHECK(run.results["details"]["packets"]["fulfilled"] == 20);
  REQUIRE(requests.size() == 20);
  for (const std::string& request : requests) {
    CHECK(request == fmt::format("{} /a?b=c HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer tok\r\n"
                                 "X-One: 1\r\nX-Two: a: b\r\n",
                                 wanted.method, server.host()) +
                         wanted.rest);
  }
}

TEST_CASE("which answers count as served is what the flags say", "[flags]") {
  struct Case {
    std::vector<std::string> flags;
    const char* refused_as;  // none: all are served
  };
  const std::vector<Case> cases{
      {{}, "HTTP 404"},
      {{"--served", "status=200,404"}, nullptr},
      {{"--served", "status=404", "--served", "header=X-Id: seven"}, nullptr},
      {{"--served", "status=404", "--served", "header=X-Id: eight"}, "HTTP 404, wrong header"},
      {{"--served", "status=404", "--served", "json=/why=none"}, nullptr},
      {{"--served", "status=404", "--served", "json=/why=one"}, "HTTP 404, wrong JSON"},
      {{"--served", "status=404", "--served", "body=\"n[aeiou]ne\""}, nullptr},
      {{"--served", "status=404", "--served", "body=^n"}, "HTTP 404, wrong body"}};
  const Case wanted = cases[GENERATE(0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u)];
  const TemporaryDirectory folder;
  const Recorder server(
      "HTTP/1.1 404 No\r\nX-Id: seven\r\nContent-Length: 14\r\n\r\n{\"why\":\"none\"}");
  std::vector<std::string> arguments{"--target",   fmt::format("http://{}/", server.host()),
                                     "--rate",     "100",
                                     "--duration", "200ms",
                                     "--warmup",   "0s"};
  arguments.insert(arguments.end(), wanted.flags.begin(), wanted.flags.end());
  const BenchRun run = packet_bench(arguments, folder);
  INFO(run.out << run.err);
  const auto& packets = run.results["details"]["packets"];
  CHECK(run.exit_status == (wanted.refused_as == nullptr ? 0 : 1));
  CHECK(packets["fulfilled"] == (wanted.refused_as == nullptr ? 20 : 0));
  if (wanted.refused_as != nullptr) CHECK(packets["rejectedByCode"][wanted.refused_as] == 20);
}

TEST_CASE("amount, data and headers reach an ILP-over-HTTP server as given", "[flags]") {
  const TemporaryDirectory folder;
  Recorder server;
  const BenchRun run =
      packet_bench({"--target", fmt::format("ilp+http://{}/ilp", server.host()), "--destination",
                    "test.somebody", "--rate", "100", "--duration", "200ms", "--warmup", "0s",
                    "--amount", "1234567890123", "--data-bytes", "321", "--header", "X-One: 1"},
                   folder);
  INFO(run.out << run.err);
  const auto& requests = server.finish();
  REQUIRE(requests.size() == 20);
  for (const std::string& request : requests) {
    const std::size_t head = request.find("\r\n\r\n");
    CHECK_THAT(request.substr(0, head + 2), ContainsSubstring("\r\nX-One: 1\r\n"));
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(request.data());
    const auto packet = wire::decode_packet({bytes + head + 4, bytes + request.size()});
    REQUIRE(packet.has_value());
    const auto& prepare = std::get<wire::Prepare>(*packet);
    CHECK(prepare.amount == 1234567890123);
    CHECK(prepare.data.size() == 321);
    CHECK(prepare.destination == "test.somebody");
  }
}

TEST_CASE("flag --max-in-flight holds packets back, and what expires meanwhile is unsent",
          "[flags]") {
  const TemporaryDirectory folder;
  PacedTarget target({"--rate", "500"});
  const BenchRun run =
      packet_bench(at_target(target, {"--rate", "1000", "--duration", "2s", "--warmup", "0s",
                                      "--expiry", "300ms", "--max-in-flight", "20"}),
                   folder);
  const auto record = target.finish();
  INFO(run.out << run.err);
  const auto& packets = run.results["details"]["packets"];
  CHECK(run.exit_status == 1);
  CHECK(most_outstanding(record.packets) == 20);
  CHECK(packets["unsent"].get<int>() > 100);
  CHECK(packets["planned"] == 2000);
  CHECK(packets["sent"].get<int>() + packets["unsent"].get<int>() == 2000);
  CHECK(packets["sent"] == record.counts["received"]);
}

TEST_CASE("what --max-in-flight held back is late from when it was due, by the target's fault",
          "[flags]") {
  const TemporaryDirectory folder;
  PacedTarget target({"--freeze-at", "0.3", "--freeze-for", "0.6"});
  const BenchRun run = packet_bench(at_target(target, {"--rate", "1000", "--duration", "2s",
                                                       "--warmup", "0s", "--max-in-flight", "20"}),
                                    folder);
  const auto record = target.finish();
  INFO(run.out << run.err);
  const auto& details = run.results["details"];
  CHECK(most_outstanding(record.packets) == 20);
  CHECK(details["packets"]["fulfilled"] == 2000);
  CHECK(details["packets"]["unsent"] == 0);
  CHECK(run.results["p99LatencyMs"].get<double>() ==
        Approx(true_p99(record.packets, 1000)).epsilon(0.05));
  // The generator answers for the lateness of what it was free to send.
  CHECK(details["audit"]["lateness"]["count"].get<int>() < 2000 - 500);
}

TEST_CASE("flag --receiver plays the account that is paid", "[flags]") {
  const TemporaryDirectory folder;
  const RunningConnector connector;
  const bool played = GENERATE(true, false);
  std::vector<std::string> arguments{"--target",      connector.url("secret-alice"),
                                     "--destination", "test.here.bob",
                                     "--rate",        "200",
                                     "--duration",    "500ms",
                                     "--warmup",      "0s"};
  if (played) arguments.insert(arguments.end(), {"--receiver", connector.url("secret-bob")});
  const BenchRun run = packet_bench(arguments, folder);
  INFO(run.out << run.err);
  const auto& details = run.results["details"];
  CHECK(run.exit_status == (played ? 0 : 1));
  CHECK(details["packets"][played ? "fulfilled" : "rejected"] == 100);
  CHECK(details["receiverPrepares"] == (played ? nlohmann::json(100) : nlohmann::json()));
  CHECK(connector.counters().fulfilled.value_or(0) == (played ? 100u : 0u));
  CHECK((run.out + run.err + to_text(run.results)).find("secret-") == std::string::npos);
}

TEST_CASE("flag --commit and --branch are those of the results", "[flags]") {
  const TemporaryDirectory folder;
  const PacedTarget target({});
  const BenchRun run =
      packet_bench(at_target(target, {"--rate", "100", "--duration", "200ms", "--warmup", "0s",
                                      "--commit", "c0ffee", "--branch", "feat/speed"}),
                   folder, 110s, "run", {{"GITHUB_REF_NAME", "main"}, {"GITHUB_HEAD_REF", "pr"}});
  INFO(run.out << run.err);
  CHECK(run.results["commitSha"] == "c0ffee");
  CHECK(run.results["branch"] == "feat/speed");
}

TEST_CASE("flag --connector-affinity keeps the embedded connector on the processors named",
          "[flags]") {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  REQUIRE(::sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  if (CPU_COUNT(&allowed) < 2) {
    WARN("not tested: with one processor it is there whatever is asked");
    return;
  }
  int last = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) last = cpu;
  }
  const TemporaryDirectory folder;
  auto run =
      Child::start({.argv = {PACKET_BENCH, "run", "--rate", "100", "--duration", "1h", "--warmup",
                             "0s", "--output", "", "--connector-affinity", std::to_string(last)},
                    .output_file = (folder.path() / "output").string()});
  REQUIRE(run.has_value());
  const std::string children = fmt::format("/proc/{0}/task/{0}/children", run->pid());
  std::string seen;
  // Its processors are set when it has started, so they are waited for.
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (seen != std::to_string(last) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(5ms);
    const auto pid = read_file(children);
    if (!pid || pid->empty()) continue;
    const auto status = read_file(fmt::format("/proc/{}/status", std::stoi(*pid)));
    constexpr std::string_view field = "Cpus_allowed_list:\t";
    const std::size_t at = status ? status->find(field) : std::string::npos;
    if (at == std::string::npos) continue;
    seen = status->substr(at + field.size());
    seen.resize(seen.find('\n'));
  }
  CHECK(seen == std::to_string(last));
  run->send_signal(SIGINT);
  while (!run->exit_status()) std::this_thread::sleep_for(5ms);
}
