#pragma once

// An operation as a trace: one span for it, one below that for each of its steps. Pure.

#include "deploy/model/report.hpp"

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

// An ExportTraceServiceRequest in OTLP's JSON encoding, for a POST to .../v1/traces. Ids are hashes
// of host, project, transaction and start, so that who sends it twice adds nothing. Source:
// opentelemetry.io/docs/specs/otlp, opentelemetry-proto 1.x.
std::string otlp_json(const Traced& traced);

}  // namespace slipway::deploy
