#pragma once

// What a monitoring system is told of a host's operations, as Prometheus' text format. Pure.
//
//! A series' labels are of a fixed set, but for what serves, of which there is one at a time.
//! What is told of deploys and rollbacks follows from the journal alone, so that whoever writes the
//! file next, a resume every minute say, does not take back what an operation told.

#include "deploy/model/ledger.hpp"
#include "deploy/model/report.hpp"

#include <chrono>
#include <string>

namespace slipway::deploy {

struct Told {
  std::string project;
  const Ledger* ledger;  // after the operation; null: the journal cannot be read
  const Report& report;  // of what was just done
  std::chrono::system_clock::time_point now;
};

// Families, with the label `project` on each sample; times are seconds since the epoch:
//   slipway_operations_total{operation,outcome}       a counter over the whole journal
//   slipway_operation_exit_status{operation}          of the last one of its kind
//   slipway_operation_end_timestamp_seconds{operation}
//   slipway_operation_duration_seconds{operation}     of all its steps
//   slipway_operation_step_duration_seconds{operation,step}
//   slipway_release_info{colour,digest,version,revision}  what should serve; always 1
//   slipway_serving                                   1 it answered, 0 not; absent: not seen
//   slipway_report_timestamp_seconds                  when this was written
std::string metrics_text(const Told& told);

}  // namespace slipway::deploy
