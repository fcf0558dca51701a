// What HAProxy was made from, held against what is configured now.
#include "deploy/haproxy/making.hpp"

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <fstream>

using namespace slipway;
using namespace slipway::deploy;

namespace {

struct Host {
  Host() { forget(); }
  void forget() {
    config = Config();
    config.haproxy_image = "haproxy@sha256:1";
  }
  std::filesystem::path file(const std::string& name, const std::string& content) const {
    std::ofstream(directory.path() / name) << content;
    return directory.path() / name;
  }
  std::string changed_since(const Making& made) const {
    return differences(parse_making(to_json_text(made)), making_of(config));
  }
  test::TemporaryDirectory directory;
  Config config;
};

}  // namespace

TEST_CASE("a field that HAProxy was made with is named when it is another", "[making]") {
  Host host;
  const Making made = making_of(host.config);
  CHECK(host.changed_since(made).empty());
  host.config.haproxy_image = "haproxy@sha256:2";
  CHECK(host.changed_since(made) == "haproxyImage (haproxy@sha256:2, made with haproxy@sha256:1)");
  host.config.ports = {{8080, 80}};
  CHECK_THAT(host.changed_since(made), ContainsSubstring(R"(ports ({"8080":80}, made with {}))"));
  host.forget();
  host.config.haproxy_metrics_port = 8404;
  CHECK(host.changed_since(made) == "haproxyMetricsPort (8404, made with 0)");
  host.forget();
  host.config.haproxy_config = host.file("haproxy.cfg", "one");
  CHECK(host.changed_since(made) == "haproxyConfig");
  host.forget();
  host.config.compose_file = host.file("compose.yml", "services: {haproxy: {image: x}}");
  CHECK(host.changed_since(made) == "composeFile");
}

TEST_CASE("what HAProxy does not take is no reason to make it anew", "[making]") {
  Host host;
  Making made = making_of(host.config);
  host.config.ports = {{8080, 8080}};
  host.config.variables = {{"AWS_PROFILE", "production"}};
  host.config.keep_releases = 9;
  CHECK(host.changed_since(made).empty());
  host.config.compose_file =
      host.file("compose.yml", "services:\n  haproxy: {image: x}\n  blue: {image: b}\n");
  made = making_of(host.config);
  host.file("compose.yml", "services:\n  blue: {image: c}\n  haproxy:\n    image: x\n");
  CHECK(host.changed_since(made).empty());
  host.file("compose.yml", "services:\n  haproxy: {image: y}\n  blue: {image: b}\n");
  CHECK(host.changed_since(made) == "composeFile");
  host.config.variables = {{"AWS_PROFILE", "staging"}};
  CHECK(host.changed_since(made) == "composeFile, variables");
}

TEST_CASE("of what earlier tools made HAProxy with only the own file is known", "[making]") {
  Host host;
  CHECK(differences(parse_making(""), making_of(host.config)).empty());
  host.config.haproxy_config = host.file("haproxy.cfg", "one");
  const std::string hash = making_of(host.config).at("haproxyConfig");
  CHECK(differences(parse_making(hash), making_of(host.config)).empty());
  host.file("haproxy.cfg", "two");
  CHECK(differences(parse_making(hash), making_of(host.config)) == "haproxyConfig");
}
