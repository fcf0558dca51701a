#include "deploy/cli/flags.hpp"
#include "deploy/cli/platforms.hpp"
#include "support/catch.hpp"

using namespace slipway::deploy;

namespace {

std::string help_of(Action tool) {
  slipway::CommandLine line("tool", "");
  Options options;
  declare_options(line, options, tool);
  return line.help();
}

}  // namespace

TEST_CASE("help of a tool names only options that the tool has", "[options]") {
  const std::string deploy = help_of(Action::deploy);
  for (const char* foreign : {"--status", "--history", "--resume", "--image-only", "go back"}) {
    INFO(foreign);
    CHECK(deploy.find(foreign) == std::string::npos);
  }
  CHECK_THAT(deploy, ContainsSubstring("status 6 at once"));
  CHECK_THAT(help_of(Action::rollback), ContainsSubstring("With --status: follow"));
}

TEST_CASE("a platform is chosen by the configuration, and one that is not there is told by name",
          "[options]") {
  Config config;
  CHECK(make_platform(config).has_value());
  config.file = "/etc/slipway/deploy.json";
  config.platform = "swarm";
  const auto none = make_platform(config);
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().kind == slipway::ErrorKind::usage);
  CHECK(none.error().text() ==
        "there is no platform 'swarm'; write one of these into the field platform of "
        "/etc/slipway/deploy.json: docker, kubernetes");
}
