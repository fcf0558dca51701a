#pragma once

// What a container, a registry, an engine or a server says is foreign: it is shown on a terminal,
// in Markdown and JSON, and kept in the journal. It passes through here first.

#include <string>
#include <string_view>
#include <vector>

namespace slipway {

// The end of what was said, as UTF-8 of at most `most` bytes:
// - each of `secrets`, and in a URL what stands between the scheme and the host, is ***;
// - escape sequences (ECMA-48, with ESC or a C1 control) are left out, so that nothing moves the
//   cursor, sets a title or hides a line; other control characters but '\n' are blanks;
// - bytes that are not UTF-8, and what turns the direction of writing (Unicode's bidirectional
//   controls) or begins a line unseen (U+2028, U+2029), are U+FFFD;
// - there are no blanks and empty lines at the end.
// The whole of what was said is wanted here: in a part of it half a secret is not recognised.
std::string foreign_text(std::string_view said, std::size_t most,
                         const std::vector<std::string>& secrets = {});

// The beginning of what was said, on one line: for a name, a label, a word in a message.
std::string foreign_line(std::string_view said, std::size_t most,
                         const std::vector<std::string>& secrets = {});

bool is_utf8(std::string_view text);

}  // namespace slipway
