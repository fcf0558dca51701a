#pragma once

// Docker's command line, for what it does better than the Engine API: rendering a service, and
// credentials of registries.

#include "base/error.hpp"
#include "base/process.hpp"
#include "deploy/state/config.hpp"

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace slipway::deploy {

// What `docker` and compose files of this host are told, and nothing of the caller's but where
// docker and its credentials are, and what helpers for credentials read (of Amazon, Google, Azure,
// and pass): a stray IMAGE_TAG in somebody's shell must not decide what runs. The service's
// environment is not in a file that compose would read: it would put in values for what looks like
// $NAME.
Environment docker_environment(const Config& config);

// What `docker compose` is to work on.
struct ComposeProject {
  std::vector<std::string> files;  // a later one adds to an earlier one, and wins
  Environment environment;
  std::vector<std::string> secrets = {};  // which compose may quote and nobody may see
};

// `docker compose ARGUMENTS`. A file .env beside the host's configuration is not read: it would
// decide what runs and be in no snapshot. Errors: failed (with the last words of compose),
// not_found, timeout, cancelled.
Result<void> compose(const Config& config, const std::vector<std::string>& arguments,
                     const ComposeProject& project, std::stop_token stop);

// `docker pull`: the digest that the registry has for the name; empty where docker does not say it.
// Errors: not_found (with the registry's last words), timeout, cancelled.
Result<std::string> docker_pull(const Config& config, const std::string& image,
                                std::stop_token stop);

// `docker save` of an image by its id, and `docker load` of what that wrote. Errors: failed (with
// docker's last words), timeout, cancelled.
Result<void> docker_save(const Config& config, const std::string& image_id,
                         const std::filesystem::path& file, std::stop_token stop);
Result<void> docker_load(const Config& config, const std::filesystem::path& file,
                         std::stop_token stop);

}  // namespace slipway::deploy
