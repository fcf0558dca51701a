#pragma once

// An operation as a trace: one span for it, one below that for each of its steps. Pure.

#include "deploy/model/report.hpp"
#include "net/otlp.hpp"

#include <chrono>
#include <string>

namespace slipway::deploy {

struct Traced {
  std::string project;
  std::string host;           // its name
  std::string tools_version;  // of deploy and rollback
  const Report& report;
  std::chrono::system_clock::time_point ended;
};

// Ids are hashes of host, project, transaction and start, so that who sends it twice adds nothing.
net::OtlpTraces trace_of(const Traced& traced);

}  // namespace slipway::deploy
