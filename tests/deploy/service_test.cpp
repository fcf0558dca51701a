// Any service, by what its slipway.yml says: parts that it lacks are not asked for.
#include "base/json.hpp"
#include "deploy/haproxy/haproxy_file.hpp"
#include "deploy/state/compose_file.hpp"
#include "deploy/state/file_snapshot.hpp"
#include "shipped.hpp"

using namespace slipway;
using namespace slipway::test;

namespace {

service::Service described(const std::string& yaml) {
  auto service = service::parse_service(yaml, "slipway.yml", {"api", "registry.test/api"});
  INFO((service ? "" : service.error().text()));
  REQUIRE(service.has_value());
  return *service;
}

const StepReport& step(const Report& report, const std::string& name) {
  for (const StepReport& step : report.steps) {
    if (step.name == name) return step;
  }
  FAIL("there is no step " << name);
  return report.steps.front();
}

}  // namespace

TEST_CASE("a service without roles is sent no signal, forward, back and when it is bad",
          "[service]") {
  for (const StrategyKind strategy : {StrategyKind::blue_green, StrategyKind::recreate}) {
    FakeHost host;
    host.config.strategy = strategy;
    host.describe("{}");
    ship(host, {"v1", "v2"});
    CHECK(host.run(Action::rollback).exit_code == ExitCode::done);
    host.publish("v3", Manner::never_ready);
    CHECK(host.run(Action::deploy, "v3").exit_code == ExitCode::rolled_back);
    CHECK(host.run(Action::resume).exit_code == ExitCode::done);
    CHECK(host.signals == 0);
    for (const auto& [colour, container] : host.containers) {
      if (container.instance.running && (host.in_place() || colour == *host.map)) {
        CHECK(container.revision == "rev-v1");
      }
    }
  }
}

TEST_CASE("without roles the old colour has the time to drain, and what is left stays connected",
          "[service]") {
  FakeHost host;
  host.describe("drain: 3s");
  ship(host, {"v1"});
  host.publish("v2");
  host.busy_colour = Colour::blue;
  host.sessions_left = 2;
  const auto before = host.time;
  const Report report = host.run(Action::deploy, "v2");
  CHECK(report.exit_code == ExitCode::done);
  CHECK(step(report, "drain").detail == "blue has 2 connections left after 3s, which stay");
  CHECK(host.time - before >= std::chrono::seconds(3));
  CHECK(host.containers.at(Colour::blue).instance.running);
  host.busy_colour.reset();
  CHECK(step(host.run(Action::rollback), "drain").detail == "green answered what it had accepted");
}

TEST_CASE("an image that cannot say its version is proven by the engine's image", "[service]") {
  FakeHost host;
  host.publish("v1");
  host.registry["v1"].release.revision.clear();
  const Report refused = host.run(Action::deploy, "v1");
  CHECK(refused.exit_code == ExitCode::failed);
  CHECK_THAT(refused.next_step, ContainsSubstring("version: digest"));
  CHECK(host.containers.empty());
  host.describe("version: digest\nhealth: /\n");
  const Report report = host.run(Action::deploy, "v1");
  INFO(report.message);
  CHECK(report.exit_code == ExitCode::done);
  CHECK_THAT(step(report, "prove").detail, ContainsSubstring(host.registry["v1"].release.image_id));
  // A container that somebody made of another image.
  host.containers.at(Colour::blue).instance.image_id = "sha256:other";
  Ports ports = host.ports();
  const auto status = Session(ports, {}, "tester").status();
  REQUIRE(status.has_value());
  CHECK_FALSE(status->healthy());
  CHECK_THAT(status->running->objection.value_or(""), ContainsSubstring("sha256:other"));
}

TEST_CASE("an image's own description counts, is pinned, and goes back with a rollback",
          "[service]") {
  FakeHost host;
  host.describe("drain: 7s");
  host.publish("v1");
  host.publish("v2");
  host.registry["v2"].release.description = R"({"service":"api","port":9000,"drain":"9s"})";
  host.config.ports.clear();
  ship(host, {"v1", "v2"});
  const auto drain_of = [&](Colour colour) {
    HostStore fresh(host.config);
    return fresh.service_of(host.containers.at(colour).instance.snapshot)->drain;
  };
  CHECK(drain_of(Colour::blue) == std::chrono::seconds(7));
  CHECK(drain_of(Colour::green) == std::chrono::seconds(9));
  host.describe("drain: 1s");
  CHECK(host.run(Action::rollback).exit_code == ExitCode::done);
  CHECK(drain_of(Colour::blue) == std::chrono::seconds(7));
}

TEST_CASE("a description that cannot be read is 2, and nothing is touched", "[service]") {
  FakeHost host;
  ship(host, {"v1"});
  host.publish("v2");
  host.registry["v2"].release.description = "{\"prt\": 80, \"x\x1b[2J\": 1}";
  const Report report = host.run(Action::deploy, "v2");
  CHECK(report.exit_code == ExitCode::usage);
  CHECK_THAT(report.message, ContainsSubstring("io.slipway.service"));
  CHECK_THAT(report.message, ContainsSubstring("'prt'"));
  CHECK(report.message.find('\x1b') == std::string::npos);
  CHECK(host.passed.empty());
  CHECK(host.served() == "rev-v1");
  host.registry["v2"].release.description.clear();
  host.describe("port: many");
  const Report of_host = host.run(Action::deploy, "v2");
  CHECK(of_host.exit_code == ExitCode::usage);
  CHECK_THAT(of_host.message, ContainsSubstring("slipway.yml:1"));
  CHECK(host.passed.empty());
}

TEST_CASE("a port that HAProxy does not carry is 3, and nothing is touched", "[service]") {
  FakeHost host;
  ship(host, {"v1"});
  host.publish("v2");
  host.missing_port = 8080;
  const Report report = host.run(Action::deploy, "v2");
  CHECK(report.exit_code == ExitCode::failed);
  CHECK(report.next_step == "make it anew");
  CHECK(host.passed.empty());
  host.proxy_up = false;
  host.proxy_stopped = true;  // it comes back as it was made
  const Report stopped = host.run(Action::deploy, "v2");
  CHECK(stopped.exit_code == ExitCode::failed);
  CHECK_THAT(stopped.message, ContainsSubstring("HAProxy has no server"));
  CHECK(host.served() == "rev-v1");
  host.proxy_up = host.proxy_stopped = false;  // it will carry what it is made for
  CHECK(host.run(Action::deploy, "v2").exit_code == ExitCode::done);
}

TEST_CASE("without names of metrics HAProxy's own counters judge a new version", "[service]") {
  for (const bool good : {true, false}) {
    FakeHost host;
    host.describe("bake: { window: 1s, longest: 5s }");
    ship(host, {"v1"});
    host.publish("v2");
    host.counted[Colour::blue].good = 1000;
    CHECK_THAT(host.run(Action::deploy, "v2").message, ContainsSubstring("inconclusive"));
    host.meanwhile = [&] {
      host.counted[Colour::green].good += 300;
      if (!good) host.counted[Colour::green].bad += 100;
    };
    const Report report = host.run(Action::deploy, "v2");
    INFO(report.message);
    CHECK(report.exit_code == (good ? ExitCode::done : ExitCode::rolled_back));
    CHECK_THAT(step(report, "bake").detail,
               ContainsSubstring(good ? "300 requests, 0.00 %" : "25.00 %"));
  }
}

TEST_CASE("a secret that the host lacks is 2, and named with its file", "[service]") {
  FakeHost host;
  host.describe("secrets: [TOKEN]");
  host.publish("v1");
  host.config.environment_file = host.directory.path() / "service.env";
  for (const char* lacking : {"", "TOKEN=\n", "TOKEN=", "A=b\nMY_TOKEN=x\n"}) {
    std::ofstream(host.config.environment_file) << lacking;
    const Report report = host.run(Action::deploy, "v1");
    INFO(lacking << report.message);
    CHECK(report.exit_code == ExitCode::usage);
    CHECK_THAT(report.message,
               ContainsSubstring("needs TOKEN") && ContainsSubstring("service.env"));
    CHECK(host.passed.empty());
  }
  for (const char* told : {"TOKEN=x", "A=b\nTOKEN=x\n"}) {
    std::ofstream(host.config.environment_file) << told;
    CHECK(host.run(Action::deploy, "v1").exit_code == ExitCode::done);
  }
}

TEST_CASE("a snapshot of before there were descriptions goes by the host's", "[service]") {
  FakeHost host;
  host.describe("drain: 4s");
  const std::filesystem::path old = host.directory.path() / "snapshots" / "0ld";
  std::filesystem::create_directories(old);
  std::ofstream(old / "former.env") << "A=b\n";
  CHECK(host.store.service_of("0ld")->drain == std::chrono::seconds(4));
  CHECK(SnapshotPaths(host.config, "0ld").environment_file == old / "former.env");
  std::ofstream(old / "service.json") << "no";
  HostStore fresh(host.config);
  REQUIRE_FALSE(fresh.service_of("0ld").has_value());
  CHECK(fresh.service_of("0ld").error().kind == ErrorKind::corrupt);
}

TEST_CASE("both colours are made with what the service asks for, and nothing else", "[service]") {
  Config config;
  const Json made = parse_json(compose_of_colours(
      config, described("{ port: 80, env: { PRICE: '$5 \"x\"' }, config: { main: /etc/main }, "
                        "volumes: { data: /data }, capabilities: [CHOWN], writable: [/run], "
                        "limits: { memory: 64m, cpus: 0.5, processes: 9 }, drain: 1500ms }")));
  const Json blue = made["services"]["blue"];
  CHECK(blue["read_only"] == true);
  CHECK(blue["cap_drop"] == Json{"ALL"});
  CHECK(blue["cap_add"] == Json{"CHOWN"});
  CHECK(blue["security_opt"] == Json{"no-new-privileges:true"});
  CHECK(blue["environment"]["PRICE"] == "$$5 \"x\"");
  CHECK(blue["tmpfs"][1] == "/run:size=64m,mode=1777");
  CHECK(blue["volumes"][0]["source"] == "${SLIPWAY_CONFIG_DIR:?}/main");
  CHECK(blue["volumes"][0]["read_only"] == true);
  CHECK(blue["volumes"][1]["source"] == "data");
  CHECK(made["volumes"].contains("data"));
  CHECK(blue["mem_limit"] == "64m");
  CHECK(blue["cpus"] == 0.5);
  CHECK(blue["pids_limit"] == 9);
  CHECK(blue["stop_grace_period"] == "7s");
  CHECK_FALSE(blue.contains("ports"));
  config.strategy = StrategyKind::recreate;
  const Json alone = parse_json(compose_of_colours(config, described("tcp: [4000]")));
  CHECK(alone["services"]["green"]["ports"] ==
        Json{"${SLIPWAY_PORT_8080:-8080}:8080", "${SLIPWAY_PORT_4000:-4000}:4000"});
}

TEST_CASE(
    "HAProxy has a frontend for HTTP and one for each further port, published as the host says",
    "[service]") {
  Config config;
  config.subnet_prefix = "10.0.0";
  config.ports = {{8080, 80}};
  const service::Service both = described("tcp: [4000, 5000]");
  const std::string made = haproxy_file(config, {both, both});
  for (const char* line : {"frontend http\n  mode http\n  bind :80\n", "server blue 10.0.0.10:8080",
                           "frontend tcp_4000\n  mode tcp\n  bind :4000\n",
                           "backend tcp_5000_green\n  mode tcp\n  server green 10.0.0.11:5000",
                           "use_backend tcp_5000_%[str(active),map("}) {
    INFO(made);
    CHECK_THAT(made, ContainsSubstring(line));
  }
  const std::string differing = haproxy_file(config, {described("port: 9000"), described("{}")});
  CHECK_THAT(differing, ContainsSubstring("  bind :80\n") && ContainsSubstring("  bind :9000\n"));
  const bool has_v6 = std::ifstream("/proc/net/if_inet6").peek() != EOF;
  CHECK((differing.find("  bind [::]:80 v6only\n") != std::string::npos) == has_v6);
  CHECK_THAT(differing, ContainsSubstring("server blue 10.0.0.10:9000"));
}

TEST_CASE("HAProxy starts as root only where users come in on a low port, and gives it up",
          "[service]") {
  Config config;
  const service::Service high = described("{}");
  const service::Service low = described("port: 80");
  CHECK_FALSE(is_reached_on_low_port(config, high));
  CHECK(is_reached_on_low_port(config, low));
  CHECK(is_reached_on_low_port(config, described("tcp: [25]")));
  CHECK(parse_json(compose_of_haproxy(config, false))["services"]["haproxy"]["user"] ==
        "10001:10001");
  const Json as_root = parse_json(compose_of_haproxy(config, true))["services"]["haproxy"];
  CHECK(as_root["user"] == "0:10001");
  CHECK(as_root["cap_add"] == Json{"NET_BIND_SERVICE", "SETGID", "SETUID"});
  CHECK_THAT(haproxy_file(config, {low, low}), ContainsSubstring("  uid 10001\n  gid 10001\n"));
  CHECK_THAT(haproxy_file(config, {high, high}), !ContainsSubstring("uid 10001"));
  config.ports = {{80, 8080}};
  CHECK_FALSE(is_reached_on_low_port(config, low));
}

TEST_CASE("ports that the service lacks, and two on one, are told by number", "[service]") {
  Config config;
  config.file = "/etc/slipway/deploy.json";
  const service::Service service = described("tcp: [4000]");
  CHECK(check_ports(config, service).has_value());
  config.ports = {{9000, 90}};
  CHECK_THAT(check_ports(config, service).error().text(),
             ContainsSubstring("no port 9000") && ContainsSubstring("8080, 4000"));
  config.ports = {{8080, 4000}};
  CHECK_THAT(check_ports(config, service).error().text(),
             ContainsSubstring("both published on 4000"));
  config.ports = {{8080, 80}};
  config.haproxy_metrics_port = 80;
  CHECK_THAT(check_ports(config, service).error().text(),
             ContainsSubstring("haproxyMetricsPort 80 is where 8080 of the service is published"));
}

TEST_CASE("HAProxy tells its own metrics where that is asked for, to the host alone", "[service]") {
  Config config;
  const service::Service service = described("{}");
  CHECK_THAT(haproxy_file(config, {service, service}), !ContainsSubstring("prometheus-exporter"));
  config.haproxy_metrics_port = 8404;
  CHECK_THAT(haproxy_file(config, {service, service}),
             ContainsSubstring("frontend metrics\n  mode http\n  bind 127.0.0.1:8404\n"));
}
