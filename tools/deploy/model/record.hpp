#pragma once

#include "base/error.hpp"
#include "deploy/model/plan.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace slipway::deploy {

// What the journal says, an entry a struct. The name in the comment is the record's `type`.

struct Begun {  // begin
  Plan plan;
};
struct Intended {  // intent: this step comes next
  Step step = Step::hold;
  Verdict verdict = Verdict::none;
};
struct Performed {  // done: how a step came out
  Step step = Step::hold;
  Event event = Event::done;
  double seconds = 0;
  std::string detail;
  std::string said = {};  // what the instance itself said last
};
struct Resumed {  // resume: recovery goes on from here
  Step step = Step::hold;
  Verdict verdict = Verdict::none;
};
struct Ended {  // end
  int exit_code = 0;
  Verdict verdict = Verdict::none;
  std::string running;  // digest of what serves; empty: nothing
  std::string message;
};
struct Brief {  // refused: all of an operation that took no steps: refused, or a resume that did
                // no more than start what did not run (exit status 0)
  std::string operation;
  std::string target;
  std::string actor;
  std::string reason;
  int exit_code = 0;
  std::string message;
};
struct Rebuilt {  // rebuilt: what was known when the journal was begun anew
  std::string why;
  std::vector<Release> releases;
};
struct Noted {  // note
  std::string what;
  std::string by;
  std::string reason;
  std::string holder;
};
// How many operations ended so: by name (deploy, rollback) and exit status.
using Outcomes = std::map<std::pair<std::string, int>, std::uint64_t>;

struct Compacted {  // compacted: what earlier records said, which are gone; only as the first
  std::uint64_t operations = 0;  // how many they told of
  std::vector<Release> proven;   // as Ledger has them
  std::vector<Release> known;
  std::vector<Release> retracted;
  Outcomes outcomes = {};
};

using Entry =
    std::variant<Noted, Begun, Intended, Performed, Resumed, Ended, Brief, Rebuilt, Compacted>;

// One record of the journal. Order is by sequence number, never by clock.
struct Record {
  std::uint64_t sequence = 0;
  std::string transaction;  // empty for records that belong to none
  std::string time;         // RFC 3339 UTC, for people only
  Entry entry;
};

// One line: 16 hexadecimal digits of the SHA-256 of what follows the blank, a blank, JSON, '\n'.
std::string encode(const Record& record);

// The journal's bytes as records. `valid_bytes` is where the last whole record ends: what follows
// is a torn tail (a write that was cut short) and is to be cut off before the next append.
struct Records {
  std::vector<Record> records;
  std::size_t valid_bytes = 0;
};

// Errors: corrupt, when something unreadable is followed by something readable, or when sequence
// numbers do not count up by one: bytes were lost or changed in the middle; protocol, when a whole
// record has a type, step or field that is not known here: a newer version of these tools wrote it,
// and to act on the rest could undo what it did.
Result<Records> decode(std::string_view bytes);

}  // namespace slipway::deploy
