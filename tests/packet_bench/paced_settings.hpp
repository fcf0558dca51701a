#pragma once

#include "base/command_line.hpp"

#include <cstdint>
#include <string>

namespace slipway {

// What paced_target is to do.
struct PacedSettings {
  double rate = 0;  // 0: as fast as it can
  std::string fault = "none";
  std::uint64_t every = 100;  // packets between two faults
  double freeze_at_s = -1;    // after the first packet
  double freeze_for_s = 0;
  double stop_at_s = -1;  // as freeze, but by SIGSTOP from outside, wherever it happens to be
  double stop_for_s = 0;
  double close_at_s = -1;  // says goodbye (1001) to all, as a connector that drains
  std::string log;         // binary: pairs of int64 ns (arrival, answer), CLOCK_MONOTONIC
  std::uint64_t tell = 0;  // says so once it has answered so many packets
  bool batch = false;      // no pacing and no timers: answer all of a read in one write

  void declare(Flags& line) {
    line.add("--rate", rate);
    line.add("--fault", fault, "none, lose, wrong, reject, duplicate, unexpected, garbage");
    line.add("--every", every);
    line.add("--freeze-at", freeze_at_s);
    line.add("--freeze-for", freeze_for_s);
    line.add("--stop-at", stop_at_s);
    line.add("--stop-for", stop_for_s);
    line.add("--close-at", close_at_s);
    line.add("--log", log);
    line.add("--tell", tell);
    line.add("--batch", batch);
  }
};

}  // namespace slipway
