#pragma once

// The labels by which an image and a container tell what they are.

#include "deploy/model/json_value.hpp"
#include "deploy/model/release.hpp"

#include <string>
#include <string_view>

namespace slipway::deploy {

// The full name of a label of ours.
std::string label(std::string_view name);

// The value of a label among `labels`; empty: there is none.
std::string label_of(const JsonValue& labels, std::string_view name);

// What an image's labels say of it; the rest of the release is empty.
Release release_of_labels(const JsonValue& labels);

}  // namespace slipway::deploy
