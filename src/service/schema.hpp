#pragma once

#include "base/json.hpp"

#include <string>

namespace slipway::service {

// slipway.yml as a JSON Schema (2020-12), for editors: made from the same table as the reader. The
// reader refuses more: what that language cannot say (docs/slipway-yml.md lists it).
Json schema();

// The keys with their defaults and meanings as a table in Markdown, for docs/slipway-yml.md.
std::string keys_as_markdown();

}  // namespace slipway::service
