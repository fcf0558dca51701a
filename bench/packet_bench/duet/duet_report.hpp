#pragma once

#include "packet_bench/duet/duet.hpp"

#include <string>

// A duet's result for people and for scripts.
namespace slipway::bench {

inline constexpr int duet_schema_version = 1;

std::string duet_summary(const DuetResult& result);
// Table and plot for a step summary on GitHub (Mermaid's xychart).
std::string duet_markdown(const DuetResult& result);
// One page (see page.hpp) with every pair drawn.
std::string duet_html(const DuetResult& result);
// Everything, with all pairs.
std::string duet_json(const DuetResult& result);

}  // namespace slipway::bench
