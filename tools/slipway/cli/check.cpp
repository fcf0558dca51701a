#include "slipway/cli/check.hpp"

#include "base/json.hpp"
#include "service/read_service.hpp"
#include "slipway/cli/repository.hpp"

#include <filesystem>
#include <iostream>

namespace slipway::front {

CheckCommand::CheckCommand(Flags& flags) {
  flags.add("FILE", file_, "the service's description").show_default();
  flags.add("--json", json_,
            "all of it, defaults included, as one line of JSON: the image's label "
            "io.slipway.service");
}

int CheckCommand::run() const {
  const auto service = read_in_repository(file_);
  if (!service) {
    print_error("slipway", service.error().text());
    return exit_usage;
  }
  const std::string line = service::to_json_text(*service);
  std::cout << (json_ ? line : to_text(parse_json(line), 2)) << '\n';
  return exit_ok;
}

}  // namespace slipway::front
