#include "slipway/cli/commands.hpp"

#include "base/build_info.hpp"
#include "base/command_line.hpp"
#include "base/json.hpp"
#include "service/schema.hpp"
#include "slipway/cli/check.hpp"
#include "slipway/cli/init.hpp"

#include <iostream>

#include <fmt/core.h>

namespace slipway::front {

int slipway_command_line(int argc, const char* const* argv) {
  CommandLine line("slipway", "Takes a service, described by its slipway.yml, to production.");
  line.version(fmt::format("slipway {} ({})", build_info().version, build_info().revision));
  line.require_commands(1, 1);
  Flags init = line.add_command("init", "write slipway.yml for the service in this repository");
  const InitCommand init_command(init);
  Flags check = line.add_command("check", "whether slipway.yml can be used, and what it comes to");
  const CheckCommand check_command(check);
  Flags schema = line.add_command("schema", "the JSON Schema of slipway.yml, for editors");
  bool as_table = false;
  schema.add("--markdown", as_table, "its keys as a table instead");
  line.footer("Exit status: 0 done, 2 bad usage or a bad slipway.yml.");
  if (const auto status = line.parse(argc, argv)) return *status;
  if (schema.given()) {
    std::cout << (as_table ? service::keys_as_markdown() : to_text(service::schema(), 2) + "\n");
    return exit_ok;
  }
  return init.given() ? init_command.run() : check_command.run();
}

}  // namespace slipway::front
