#pragma once

// The labels and other marks by which an image and an instance tell what they are.

#include "deploy/model/json_value.hpp"
#include "deploy/model/release.hpp"

#include <string>
#include <string_view>

namespace slipway::deploy {

// The full name of a label of ours.
std::string label(std::string_view name);

// The value of a label among `labels`; empty: there is none.
std::string label_of(const JsonValue& labels, std::string_view name);

// A mark of ours in the form that it must have, else empty: it may be somebody else's.
std::string checked(const std::string& text, bool (*is_valid)(std::string_view));
bool is_snapshot(std::string_view text);     // 64 hexadecimal digits
bool is_transaction(std::string_view text);  // t and a number

// What an image's labels say of it; the rest of the release is empty.
Release release_of_labels(const JsonValue& labels);

}  // namespace slipway::deploy
