#pragma once

// Docker's command line, for what it does better than the Engine API: rendering a service, and
// credentials of registries.

#include "base/error.hpp"
#include "base/process.hpp"
#include "deploy/state/config.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace slipway::deploy {

// What `docker` and compose files of this host are told, and nothing of the caller's but where
// docker and its credentials are: a stray IMAGE_TAG in somebody's shell must not decide what runs.
Environment docker_environment(const Config& config);

// `docker compose ARGUMENTS` for one compose file of this host. Errors: failed (with the last words
// of compose), not_found, timeout, cancelled.
Result<void> compose(const Config& config, const std::vector<std::string>& arguments,
                     const std::string& compose_file, const Environment& environment,
                     std::stop_token stop);

// `docker pull`. Errors: not_found (with the registry's last words), timeout, cancelled.
Result<void> docker_pull(const Config& config, const std::string& image, std::stop_token stop);

}  // namespace slipway::deploy
