#pragma once

#include "deploy/run/ports.hpp"

namespace slipway::deploy {

// The journal of the host. One that is damaged, or missing where something of ours runs, is set
// aside and begun again from the labels of what is there, except when `read_only`.
// Errors: corrupt (what runs does not tell which version serves: nothing was touched), unreachable,
// io.
Result<std::unique_ptr<Journal>> open_host_journal(Ports& ports, bool read_only);

}  // namespace slipway::deploy
