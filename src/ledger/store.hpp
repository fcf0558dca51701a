#pragma once

#include "ledger/database.hpp"
#include "ledger/schema.hpp"
#include "ledger/settlement.hpp"
#include "ledger/shares.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace slipway::ledger {

// What an instance has to write of one account: its part as it is, and the room that it asks for.
struct PartChange {
  std::size_t account;  // index in the accounts of the Store
  Part part;
  Change asked;
};

// Everything since the last batch that was written; absolute, so it may be written twice.
struct Batch {
  std::int64_t number = 0;
  std::vector<PartChange> parts;
  std::vector<PositionRow> positions;  // of this instance
  bool wants_room = true;
  bool shares_changed = false;  // rooms, or whether we want any: the others are to look
};

// What an instance sees of the others.
struct View {
  std::vector<Others> others;  // an account each
  int instances = 0;           // how many others run
};

struct Written {
  // Rooms that were granted, of the accounts that asked.
  std::vector<std::pair<std::size_t, Part>> granted;
  bool looked = false;  // others have changed something since the last: `view` is what there is now
  View view;
  // Somebody settled us, taking us for dead: what we wrote up to this batch is counted, and nothing
  // after it. open() makes a new instance.
  std::optional<std::int64_t> settled_at;
};

struct Opened {
  std::vector<Part> parts;  // an account each; balance 0
  View view;
};

// The ledger as one instance of a connector uses it. Blocks; one thread. After an error nothing is
// known to be written; calling again is right.
class Store {
 public:
  struct Options {
    std::vector<AccountSpec> accounts;
    std::string version;  // of the connector
    const std::vector<Migration>* known = &migrations();
  };
  Store(std::unique_ptr<Database> database, Options options);

  // Brings the tables to our form, settles the instances that have ended, and begins a new one. Its
  // first batch is number 1.
  Result<Opened> open(bool wants_room);
  Result<Written> write(const Batch& batch);
  // Looks for what others have changed and, with `settle_ended`, whether one of them has ended.
  Result<Written> look(bool settle_ended);
  // Writes the last batch and settles this instance, unless another one did that before
  // (settled_at). After an error, again with the same batch.
  Result<Written> close(const Batch& batch);

 private:
  template <typename Work>
  auto in_transaction(Database::Access access, Work work) -> decltype(work());
  Result<Opened> begin_instance(bool wants_room);
  Result<bool> others_live();
  Result<void> put_instance(bool wants_room, const std::vector<Part>& parts);
  Result<Written> write_all(const Batch& batch);
  Result<Written> explain_settled();
  Result<void> put(const Batch& batch);
  Result<void> grant(const Batch& batch, Written& written);
  Result<void> see(Written& written);
  Result<std::vector<InstanceId>> ended();
  Result<void> settle_them(const std::vector<InstanceId>& instances);
  Result<void> put_settled(const Settlement& settlement);
  Result<std::int64_t> next_epoch();

  std::unique_ptr<Database> database_;
  Options options_;
  bool connected_ = false;
  InstanceId own_ = settled_part;
  std::int64_t epoch_ = -1;  // last seen
  std::int64_t seen_ = -1;   // in the transaction that is going on
};

}  // namespace slipway::ledger
