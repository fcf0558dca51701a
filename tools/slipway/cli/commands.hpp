#pragma once

namespace slipway::front {

// The program `slipway`: its commands and their exit statuses.
int slipway_command_line(int argc, const char* const* argv);

}  // namespace slipway::front
