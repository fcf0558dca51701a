#pragma once

// What a registry says of an image, before any node has it: by skopeo, which knows docker's and
// podman's credentials and their helpers, and the mirrors of containers-registries.conf(5).

#include "base/error.hpp"
#include "deploy/model/release.hpp"

#include <chrono>
#include <stop_token>
#include <string_view>

namespace slipway::deploy {

// The image by digest, with what its labels say. Errors: not_found, usage (there is no skopeo),
// cancelled.
Result<Release> ask_registry(const Reference& reference, std::chrono::nanoseconds deadline,
                             std::stop_token stop);

// skopeo's answer, of what was asked for. Errors: not_found.
Result<Release> read_inspection(std::string_view json, const Reference& reference);

}  // namespace slipway::deploy
