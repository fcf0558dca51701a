// Targets behind TLS: a front of another make, with a certificate made here.
#include "packet_bench/running_connector.hpp"
#include "packet_bench/truth.hpp"
#include "support/catch.hpp"

using namespace slipway;
using namespace slipway::test;

namespace {

// A self-signed certificate for `name` (as in subjectAltName), which is its own authority.
class Certificate {
 public:
  explicit Certificate(const std::string& name) {
    const auto made = run_command(
        {.argv = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
                  "-addext", "subjectAltName=" + name, "-keyout", key(), "-out", file()}});
    if (!made || made->exit_status != 0) throw std::runtime_error("openssl made no certificate");
  }
  std::string file() const { return (folder_.path() / "certificate.pem").string(); }
  std::string key() const { return (folder_.path() / "key.pem").string(); }

 private:
  TemporaryDirectory folder_;
};

// TLS in front of a plain port.
class Front {
 public:
  Front(const Certificate& certificate, int port)
      : server_({TLS_FRONT, certificate.file(), certificate.key(), std::to_string(port)}),
        port_(server_.port(":", '.')) {}
  std::string url(const std::string& scheme) const {
    return fmt::format("{}://:token@127.0.0.1:{}/", scheme, port_);
  }

 private:
  Server server_;
  int port_;
};

BenchRun run_at(const std::string& url, const TemporaryDirectory& folder,
                const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"--target",   url,  "--rate",   "1000",
                                     "--duration", "1s", "--warmup", "0s"};
  if (!url.starts_with("http"))
    arguments.insert(arguments.end(), {"--destination", "test.paced.me"});
  if (!url.starts_with("btp")) arguments.insert(arguments.end(), {"--pipeline", "4096"});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return packet_bench(arguments, folder);
}

}  // namespace

TEST_CASE("each kind of target is driven through TLS, and no packet is lost on the way", "[tls]") {
  const std::string scheme = GENERATE("btp+wss", "ilp+https", "https");
  const TemporaryDirectory folder;
  const Certificate certificate("IP:127.0.0.1");
  PacedTarget target({});
  const Front front(certificate, target.port());
  const bool insecure = GENERATE(false, true);
  const BenchRun run = run_at(front.url(scheme), folder,
                              insecure ? std::vector<std::string>{"--insecure"}
                                       : std::vector<std::string>{"--ca-file", certificate.file()});
  const auto record = target.finish();
  INFO(scheme << ' ' << run.out << run.err);
  CHECK(run.exit_status == 0);
  CHECK(run.results["details"]["packets"]["fulfilled"] == 1000);
  CHECK(record.counts["received"] == 1000);
  CHECK(record.counts["answered"] == 1000);
}

TEST_CASE("frames larger than a TLS record come through whole", "[tls]") {
  const TemporaryDirectory folder;
  const Certificate certificate("IP:127.0.0.1");
  PacedTarget target({});
  const Front front(certificate, target.port());
  const BenchRun run =
      run_at(front.url("btp+wss"), folder,
             {"--ca-file", certificate.file(), "--data-bytes", "30000", "--threshold-tps", "0"});
  const auto record = target.finish();
  INFO(run.out + run.err);
  CHECK(run.results["details"]["packets"]["fulfilled"] == 1000);
  CHECK(record.counts["received"] == 1000);
}

TEST_CASE("who cannot prove to be the target is refused in one line, with the remedy", "[tls]") {
  const TemporaryDirectory folder;
  std::string name = "IP:127.0.0.1";
  std::vector<std::string> flags;
  std::string expected;
  bool trusted = false;
  SECTION("an unknown authority") {
    expected = "self-signed certificate; give the authority with --ca-file, or --insecure";
  }
  SECTION("a certificate of somebody else") {
    name = "DNS:other.example";
    trusted = true;
    expected = "IP address mismatch";
  }
  const Certificate certificate(name);
  PacedTarget target({});
  const Front front(certificate, target.port());
  if (trusted) flags = {"--ca-file", certificate.file()};
  const BenchRun run = run_at(front.url(GENERATE("btp+wss", "https")), folder, flags);
  INFO(run.err);
  CHECK(run.exit_status == 3);
  CHECK_THAT(run.err, ContainsSubstring(expected));
  CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
  CHECK(target.finish().counts["received"] == 0);
}

TEST_CASE("a metrics page behind TLS is read, if who serves it proves to be that", "[tls]") {
  const TemporaryDirectory folder;
  const Certificate certificate("IP:127.0.0.1");
  const RunningConnector connector;
  const Front front(certificate, connector.http_port());
  const std::string page = front.url("https") + "metrics";
  std::vector<std::string> arguments{"--target",      connector.url("secret-alice"),
                                     "--destination", "test.here.bob",
                                     "--receiver",    connector.url("secret-bob"),
                                     "--rate",        "200",
                                     "--duration",    "500ms",
                                     "--warmup",      "0s",
                                     "--metrics",     page};
  SECTION("proven") {
    arguments.insert(arguments.end(), {"--ca-file", certificate.file()});
    const BenchRun run = packet_bench(arguments, folder);
    INFO(run.out + run.err);
    CHECK(run.exit_status == 0);
    const auto& details = run.results["details"];
    CHECK(details["targetCounters"]["fulfilled"] == 100);
    CHECK(details["targetCounters"]["source"].get<std::string>().starts_with("https://127.0.0.1:"));
    CHECK(details["targetCost"]["memoryMb"].get<double>() > 1);
  }
  SECTION("not proven") {
    const BenchRun run = packet_bench(arguments, folder);
    INFO(run.err);
    CHECK(run.exit_status == 3);
    CHECK_THAT(run.err, ContainsSubstring("cannot read the metrics at https://127.0.0.1:"));
    CHECK_THAT(run.err, ContainsSubstring("self-signed certificate; give the authority with"));
    CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
    CHECK(connector.counters().fulfilled.value_or(0) == 0);
  }
}

TEST_CASE("a CA file that cannot be used is a usage error", "[tls]") {
  const TemporaryDirectory folder;
  const PacedTarget target({});
  const BenchRun bad = run_at(target.url("https"), folder, {"--ca-file", "/no/such/file"});
  INFO(bad.err);
  CHECK(bad.exit_status == 2);
  CHECK_THAT(bad.err, ContainsSubstring("--ca-file"));
}
