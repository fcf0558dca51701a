#pragma once

#include "base/command_line.hpp"
#include "service/read_service.hpp"

#include <filesystem>
#include <string>

namespace slipway::front {

// `slipway init`: writes slipway.yml from what the repository tells, and the workflows that use
// the published actions; --check only says what is missing.
class InitCommand {
 public:
  explicit InitCommand(Flags& flags);
  // Exit status: 0 done or nothing missing, 1 something is missing, 2 slipway.yml cannot be used.
  int run() const;

 private:
  int draft(const std::filesystem::path& file, const service::Defaults& defaults) const;
  int add_workflows(const std::filesystem::path& folder, const service::Service& service) const;

  std::string folder_ = ".";
  std::string actions_;
  bool check_ = false;
};

}  // namespace slipway::front
