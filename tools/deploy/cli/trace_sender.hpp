#pragma once

#include "deploy/model/report.hpp"
#include "deploy/state/config.hpp"

#include <string>

namespace slipway::deploy {

// That tracesUrl, if there is one, can be sent to. Errors: usage.
Result<void> check_traces_url(const Config& config);

// Hands the operation as a trace to the collector at tracesUrl, by OTLP over HTTP, if there is one;
// a resume that had nothing to do is no operation. An outcome is not affected by a failure, which
// is a warning, nor held up by more than five seconds.
void send_trace(const Report& report, const Config& config, const std::string& program);

}  // namespace slipway::deploy
