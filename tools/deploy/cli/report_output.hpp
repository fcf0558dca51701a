#pragma once

#include "deploy/model/report.hpp"
#include "deploy/run/options.hpp"

#include <string>

namespace slipway::deploy {

// The report on stdout as the options ask for it, warnings and the error on stderr.
void print_report(const Report& report, const Options& options, const std::string& program);

// The file that --report names, JSON or Markdown by its extension.
void write_report(const Report& report, const Options& options, const std::string& program);

}  // namespace slipway::deploy
