#pragma once

#include "deploy/model/ledger.hpp"
#include "deploy/ports/lock.hpp"
#include "deploy/run/host_status.hpp"

#include <optional>
#include <string>
#include <vector>

namespace slipway::deploy {

// What --status and --history print: one line of JSON (schemaVersion 1), or lines for people. The
// last line of a status is running_line().
std::string status_json(const HostStatus& status, const std::optional<LockOwner>& holder);
std::string status_lines(const HostStatus& status, const std::optional<LockOwner>& holder);
std::string history_json(const std::vector<HistoryEntry>& history);
// `forgotten`: how many more there were.
std::string history_lines(const std::vector<HistoryEntry>& history, std::uint64_t forgotten);
// What --show prints; without `words` not what an instance itself said.
std::string operation_json(const HistoryEntry& entry, bool words);
std::string operation_lines(const HistoryEntry& entry, bool words);

}  // namespace slipway::deploy
