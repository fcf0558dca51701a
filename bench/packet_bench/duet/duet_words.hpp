#pragma once

#include "packet_bench/duet/duet.hpp"

#include <string>
#include <string_view>

// What all reports of a duet say alike.
namespace slipway::bench {

std::string_view name_of(Metric metric);

// "+1.2 % (+0.9 % to +1.5 %)", in as many decimals as the interval is worth.
std::string worth_text(const MetricFinding& finding);
// "allowed +1.5 % (alarm only): within; would have seen +2.1 %"
std::string note_text(const MetricFinding& finding);

// "after 30 pairs in 17 s"
std::string length_text(const DuetResult& result);

// How many pairs are left out, and why.
std::string disturbance_text(const DuetResult& result);

// Nothing where the processor's time could not be seen.
const MetricFinding* cpu_finding(const DuetVerdict& verdict);

}  // namespace slipway::bench
