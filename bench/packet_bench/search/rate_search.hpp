#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::bench {

// Who or what kept a rate from being sustained.
enum class Bound {
  none,       // nobody: the highest rate that was allowed is sustained
  target,     // it lost packets, fell behind or was too slow
  generator,  // packet_bench itself was late
  machine,    // the hypervisor or other programs took the time
};
std::string_view to_string(Bound bound);

// What one run at a rate showed.
struct ProbeOutcome {
  bool sustained = false;
  Bound bound = Bound::none;  // when not sustained
  std::string why;            // likewise, for people
};

struct SearchLimits {
  double first = 10'000;    // packets/s: where the search begins
  double least = 1;         // below it the search gives up
  double most = 5'000'000;  // above it the search does not look
  double resolution = 0.02;
};

// Finds the highest rate that is sustained: doubles (or halves) from the first rate on until the
// limit lies between two rates, bisects down to the resolution, then confirms the rate that was
// found with two runs more, stepping down by the resolution after one that fails.
//
// One run can be disturbed, so a rate counts as too high only when two runs say so, or when a run
// fails because of the generator or the machine three times.
//
// Pure: it says which rate to try next and is told what came of it.
class RateSearch {
 public:
  explicit RateSearch(const SearchLimits& limits);

  // The rate to try; nothing when the search is over.
  std::optional<double> next() const;
  void record(const ProbeOutcome& outcome);

  // Whether the rate to try is one that is being confirmed.
  bool confirming() const { return phase_ == Phase::confirming; }
  // The highest rate that is sustained and confirmed; nothing when none was.
  std::optional<double> found() const;
  // What kept a higher rate from being sustained, as the last run that failed for good said.
  Bound bounded_by() const { return bound_; }
  const std::string& why() const { return why_; }
  // The lowest rate that was found too high.
  std::optional<double> too_high() const { return too_high_; }

 private:
  enum class Phase { growing, shrinking, bisecting, confirming, done };

  void sustained();
  void exceeded();
  void try_rate(double rate);
  void bisect_or_confirm();

  static constexpr unsigned confirmations = 2;

  SearchLimits limits_;
  Phase phase_ = Phase::growing;
  double rate_;
  std::optional<double> held_;
  std::optional<double> too_high_;
  ProbeOutcome last_failure_;
  Bound bound_ = Bound::none;
  std::string why_;
  unsigned target_failures_ = 0;  // of this rate
  unsigned other_failures_ = 0;
  unsigned confirmed_ = 0;
};

}  // namespace slipway::bench
