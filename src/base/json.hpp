#pragma once

// JSON by nlohmann::json. Reading and writing text is compiled once, here: it is most of what that
// library costs the files that use it.

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace slipway {

using Json = nlohmann::json;

// The document; is_discarded() where the text is none, or was cut off. `with_comments` allows //
// and /* */.
Json parse_json(std::string_view text, bool with_comments = false);
// The same; `why` is then what is wrong, and where, with nothing of the text in it: that may be
// secret.
Json parse_json(std::string_view text, std::string& why);

// On one line, or on many with an indent. What is no UTF-8 becomes U+FFFD.
std::string to_text(const Json& json, int indent = -1);

// The pointer (RFC 6901) to the member with this key: "/" and the key, escaped.
std::string pointer_to(const std::string& key);

}  // namespace slipway
