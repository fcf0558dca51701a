// Verdicts on pairs that were recorded from live connectors, by the command that scripts/gate-power
// uses. They are the last six rounds of each level (all three of 10 %) from one recording on a
// noisy machine; the first four were left out because they were too noisy to say anything. So this
// tells nothing of the gate's error rates; it shows when the judge changes its mind.
#include "base/process.hpp"
#include "support/catch.hpp"

#include <map>
#include <sstream>
#include <string>

using namespace slipway;

namespace {

struct Row {
  int verdicts = 0;
  int regressions = 0;
  int passes = 0;
};

struct Replayed {
  int exit_status = -1;
  std::string out;
  std::map<std::string, Row> resampled;   // by the candidate's level
  std::map<std::string, double> percent;  // more CPU a packet in the median, by the same
};

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? ""
                                    : text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

void take_line(const std::string& line, Replayed& replayed) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, '|');) cells.push_back(trimmed(cell));
  if (cells.size() > 6 && cells[1] == "resampled") {
    replayed.resampled[cells[2]] = {std::stoi(cells[3]), std::stoi(cells[4]), std::stoi(cells[6])};
  }
  const std::string_view before_percent = "CPU a packet ";
  const std::size_t at = line.find(before_percent);
  if (at == std::string::npos) return;
  replayed.percent[trimmed(line.substr(0, line.find(':')))] =
      std::stod(line.substr(at + before_percent.size()));
}

Replayed replay(const std::string& seed) {
  const auto run = run_command({.argv = {PACKET_BENCH, "power", "replay", "--file", RECORDED_PAIRS,
                                         "--windows", "40", "--seed", seed}});
  REQUIRE(run.has_value());
  Replayed replayed{.exit_status = run->exit_status, .out = run->out + run->err};
  std::istringstream lines(run->out);
  for (std::string line; std::getline(lines, line);) take_line(line, replayed);
  return replayed;
}

}  // namespace

TEST_CASE("recorded pairs lead to the verdicts that they must, whatever the windows drawn",
          "[power]") {
  Replayed replayed = replay(GENERATE("1", "2", "3"));
  INFO(replayed.out);
  // The medians of candidate over base, as a spreadsheet has them.
  CHECK(replayed.percent["0 %"] == Approx(0.65).margin(0.01));
  CHECK(replayed.percent["3 %"] == Approx(3.91).margin(0.01));
  CHECK(replayed.percent["5 %"] == Approx(6.03).margin(0.01));
  CHECK(replayed.percent["10 %"] == Approx(9.65).margin(0.01));
  for (const char* const level : {"0 %", "3 %", "5 %", "10 %"}) {
    CHECK(replayed.resampled[level].verdicts == 40);
  }
  CHECK(replayed.resampled["0 %"].regressions == 0);
  CHECK(replayed.resampled["3 %"].regressions >= 36);
  CHECK(replayed.resampled["5 %"].regressions >= 20);  // its rounds differ most
  CHECK(replayed.resampled["10 %"].regressions == 40);
  for (const char* const level : {"3 %", "5 %", "10 %"}) {
    CHECK(replayed.resampled[level].passes == 0);
  }
}

TEST_CASE("what too few verdicts show is not called a promise that holds", "[power]") {
  const Replayed replayed = replay("1");
  INFO(replayed.out);
  CHECK(replayed.exit_status == 1);
  CHECK_THAT(replayed.out, ContainsSubstring("not shown: base against itself"));
  CHECK_THAT(replayed.out, !ContainsSubstring("held:     "));
}
