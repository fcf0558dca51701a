#pragma once

#include "base/error.hpp"

#include <map>
#include <string>
#include <string_view>

namespace slipway::deploy {

// The service's environment as its file has it, name -> value:
// - blank lines, and lines whose first character is #, are nothing;
// - any other is NAME=VALUE, or export NAME=VALUE. VALUE is what follows, as it is, without blanks
//   at either end: no character is special, nothing is put in for $NAME;
// - a VALUE in single or double quotes is what stands between them, as it is, and may go over
//   several lines.
// What other programs would read in another way is refused, not guessed: a # after a blank in a
// value without quotes, a backslash in double quotes, words after the closing quote, a name twice.
// Errors: usage, by line and name; never a value, of which any other part of a line may be one.
Result<std::map<std::string, std::string>> parse_environment(std::string_view text);

}  // namespace slipway::deploy
