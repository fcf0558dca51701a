#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway {

// What somebody else said, fit for a terminal, a log and a report: one line of valid UTF-8, at most
// `limit` bytes of theirs (then "..."). What could steer a terminal or turn a line around (control
// characters, U+0080 to U+009F, line separators, marks of writing direction) and what is no UTF-8
// stands as \xNN, byte by byte; a line end as \n.
std::string presentable(std::string_view text, std::size_t limit = 200);

}  // namespace slipway
