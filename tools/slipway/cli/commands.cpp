#include "slipway/cli/commands.hpp"

#include "base/build_info.hpp"
#include "base/command_line.hpp"
#include "base/json.hpp"
#include "service/schema.hpp"
#include "slipway/cli/check.hpp"
#include "slipway/cli/init.hpp"
#include "slipway/cli/scripts.hpp"

#include <iostream>
#include <string_view>

#include <fmt/core.h>

namespace slipway::front {

int slipway_command_line(int argc, const char* const* argv) {
  // These have flags of their own, and help for them.
  const std::string_view word = argc > 1 ? argv[1] : "";
  if (word == "gate") return gate({argv + 2, argv + argc});
  if (word == "rehearse") return rehearse({argv + 2, argv + argc});
  if (word == "setup") return setup({argv + 2, argv + argc});
  CommandLine line("slipway", "Takes a service, described by its slipway.yml, to production.");
  line.version(fmt::format("slipway {} ({})", build_info().version, build_info().revision));
  line.require_commands(1, 1);
  Flags init = line.add_command(
      "init", "write slipway.yml for the service in this repository, and its workflows");
  const InitCommand init_command(init);
  Flags check = line.add_command("check", "whether slipway.yml can be used, and what it comes to");
  const CheckCommand check_command(check);
  line.add_command("gate",
                   "whether a new image still does its rate and got no dearer than an old one");
  line.add_command("rehearse", "image, host, deploy, bad releases and back, on this machine");
  line.add_command("setup",
                   "make root@HOST, or with --kubernetes a namespace, ready to be deployed to");
  Flags schema = line.add_command("schema", "the JSON Schema of slipway.yml, for editors");
  bool as_table = false;
  schema.add("--markdown", as_table, "its keys as a table instead");
  line.footer(
      "Exit status: 0 done, 1 something is missing (init --check), 2 bad usage or a bad "
      "slipway.yml.\n"
      "gate, rehearse and setup have their own: --help of each.");
  if (const auto status = line.parse(argc, argv)) return *status;
  if (schema.given()) {
    std::cout << (as_table ? service::keys_as_markdown() : to_text(service::schema(), 2) + "\n");
    return exit_ok;
  }
  return init.given() ? init_command.run() : check_command.run();
}

}  // namespace slipway::front
