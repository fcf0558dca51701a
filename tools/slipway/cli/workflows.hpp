#pragma once

#include "base/error.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::front {

// Whose actions a workflow uses, as in `uses: OWNER/slipway/.github/actions/gate@v1`.
struct ActionsOf {
  std::string repository;  // OWNER/NAME
  std::string reference;   // a tag, branch or commit
};
// Of OWNER/NAME@REF. Errors: usage.
Result<ActionsOf> parse_actions(std::string_view text);

// Writes those of our templates that FOLDER/.github/workflows has no file of the same name for.
// Returns the paths written. Errors: usage (no templates beside the executable), io.
Result<std::vector<std::filesystem::path>> write_workflows(const std::filesystem::path& folder,
                                                           const ActionsOf& actions,
                                                           const std::string& branch);

// Does a workflow of FOLDER use a published action?
bool has_workflows(const std::filesystem::path& folder);

}  // namespace slipway::front
