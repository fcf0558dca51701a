#pragma once

#include "packet_bench/report/chart.hpp"

#include <string>
#include <utility>
#include <vector>

namespace slipway::bench {

// A report for people as plain values, of a run or of a duet.
struct Page {
  // One that is to be seen at once.
  struct Figure {
    std::string name;
    std::string value;
    std::string note;
  };
  // How much worse a candidate is, as shares: 0.05 is 5 % worse. Not finite: not known.
  struct Comparison {
    std::string name;
    double estimate = 0;
    double low = 0;
    double high = 0;
    double allowed = 0;
    std::string finding;
    std::string note;
  };

  std::string command;   // "packet_bench run"
  std::string outcome;   // one word, which also gives it its colour
  std::string headline;  // what follows that word
  std::string subject;   // what was measured
  std::vector<std::string> reasons;
  std::vector<Figure> figures;
  std::vector<Comparison> comparisons;
  std::vector<Chart> charts;
  std::vector<std::pair<std::string, std::string>> facts;
};

// One self-contained file: nothing is loaded from elsewhere, which its own policy says to the
// browser, too. The charts are drawn by uPlot, which is in it.
std::string to_html(const Page& page);

// The text with what HTML gives a meaning to replaced.
std::string html_escaped(const std::string& text);

}  // namespace slipway::bench
