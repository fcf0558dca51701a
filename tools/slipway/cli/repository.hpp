#pragma once

#include "service/read_service.hpp"

#include <filesystem>
#include <string>

namespace slipway::front {

// OWNER/NAME of a GitHub repository by its remote's address, in either of git's forms; empty where
// it is none.
std::string slug_of_remote(const std::string& address);

// What slipway.yml in this folder need not say: by GITHUB_REPOSITORY, or by the remote `origin`, or
// by the folder's name.
service::Defaults defaults_of(const std::filesystem::path& folder);

// What slipway.yml in a repository describes, with these defaults. Errors: as read_service().
Result<service::Service> read_in_repository(const std::filesystem::path& file);

// The branch that is released from: the remote's, else the one that is checked out, else main.
std::string default_branch_of(const std::filesystem::path& folder);

}  // namespace slipway::front
