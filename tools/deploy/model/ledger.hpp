#pragma once

// What the journal's records say when read from the first to the last. Pure.

#include "deploy/model/plan.hpp"
#include "deploy/model/record.hpp"
#include "deploy/model/recovery.hpp"

#include <optional>
#include <string>
#include <vector>

namespace slipway::deploy {

struct OpenTransaction {
  std::string id;
  Plan plan;
  Tail tail;
  std::string began;
  std::vector<Performed> steps = {};
};

// One operation that ended, was refused, or is under way, for --history and --show.
struct HistoryEntry {
  std::string transaction;
  std::string time;
  std::string operation;
  std::string actor;
  std::string reason;
  std::string target;
  std::string from;
  int exit_code = 0;
  std::string message = {};  // how it ended, without what an instance said
  std::string running = {};  // digest of what served then; empty: nothing, or it was refused
  std::vector<Performed> steps = {};
  bool ended = true;
  int resumes = 0;  // how often it was cut short and gone on with

  double seconds() const;  // of all steps
};

class Ledger {
 public:
  // How many releases each list has at most, the newest.
  static constexpr std::size_t most_remembered = 200;

  explicit Ledger(const std::vector<Record>& records);

  const std::optional<OpenTransaction>& open() const { return open_; }
  const std::vector<HistoryEntry>& history() const { return history_; }
  // How many more there were before, of which the journal holds no records any more.
  std::uint64_t forgotten() const { return forgotten_; }
  // What came of all operations since the journal began, of those before, too, as far as whoever
  // dropped their records counted them.
  const Outcomes& outcomes() const { return outcomes_; }
  // One of the history, or the one that is open, by its transaction.
  std::optional<HistoryEntry> operation(const std::string& transaction) const;

  // All that is to be known when the records end here and are gone.
  Compacted compacted() const;

  // Releases that were proven healthy, the one that served last first, each once.
  const std::vector<Release>& proven() const { return proven_; }

  bool is_proven(const Release& release) const;

  // Every release that was ever begun, newest first, each once: images of ours on the host.
  const std::vector<Release>& known() const { return known_; }

  // The last version proven healthy other than `current`. A version that somebody rolled back from
  // is not chosen, only named: a second rollback must not lead back into the accident. `refuge` is
  // what lives on the other colour where `current` is dead: once proven it is chosen whatever its
  // past, because a version that answers is better than none, and it is there at once.
  std::optional<Release> rollback_target(const std::optional<Release>& current,
                                         const std::optional<Release>& refuge = {}) const;

  // Whether somebody rolled back from it since it last served.
  bool is_retracted(const Release& release) const;

  // The release that `name` means: a digest (or 12 or more of its digits), a tag, a version.
  std::optional<Release> find(const std::string& name) const;

  // The release that the journal knows by this digest and snapshot.
  std::optional<Release> find_exact(const std::string& digest, const std::string& snapshot) const;

 private:
  void apply(const Record& record, const Begun& begun);
  void apply(const Record& record, const Intended& intended);
  void apply(const Record& record, const Resumed& resumed);
  void apply(const Record& record, const Ended& ended);
  void apply(const Record& record, const Brief& brief);
  void apply(const Record& record, const Rebuilt& rebuilt);
  void apply(const Record& record, const Performed& performed);
  void apply(const Record& record, const Compacted& compacted);
  // What else there is says nothing about releases.
  template <typename Other>
  void apply(const Record&, const Other&) {}
  bool is_open(const Record& record) const { return open_ && record.transaction == open_->id; }
  void add(HistoryEntry entry);
  void remember(std::vector<Release>& list, const Release& release);

  std::optional<OpenTransaction> open_;
  std::vector<HistoryEntry> history_;
  std::vector<Release> proven_;
  std::vector<Release> known_;
  std::vector<Release> retracted_;
  std::uint64_t forgotten_ = 0;
  Outcomes outcomes_;
};

// The same journal with at most `most` of its records, the last ones, behind one that says what the
// others did; nothing where it is no longer than that, or where an operation that is open began
// before. Sequence numbers stay.
std::optional<std::vector<Record>> compact(const std::vector<Record>& records, std::size_t most);

}  // namespace slipway::deploy
