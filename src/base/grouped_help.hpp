#pragma once

#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 is theirs
class App;
}

namespace slipway {

// The help of a command, its flags by their groups: names and texts in two columns of 80
// characters, flags with the same text on one line, each with its default and its variable.
std::string grouped_help(const CLI::App& command, const std::string& name,
                         const std::string& exit_statuses);

}  // namespace slipway
