#include "deploy/model/ledger.hpp"

#include <algorithm>

namespace slipway::deploy {
namespace {

auto same(const Release& release) {
  return [&release](const Release& that) { return that.same_as(release); };
}

bool contains(const std::vector<Release>& list, const Release& release) {
  return std::any_of(list.begin(), list.end(), same(release));
}

HistoryEntry entry_of(const OpenTransaction& open) {
  const Plan& plan = open.plan;
  return {.transaction = open.id,
          .time = open.began,
          .operation = plan.rollback ? "rollback" : "deploy",
          .actor = plan.actor,
          .reason = plan.reason,
          .target = plan.target.describe(),
          .from = plan.old ? plan.old->describe() : std::string(),
          .steps = open.steps,
          .ended = false,
          .resumes = open.tail.attempts};
}

bool named(const Release& release, const std::string& name) {
  if (release.tag == name || release.version == name || "v" + release.version == name ||
      release.digest == name || release.repository + ":" + release.tag == name ||
      release.repository + "@" + release.digest == name) {
    return true;
  }
  constexpr std::string_view prefix = "sha256:";
  const std::string_view digits = release.digest.size() > prefix.size()
                                      ? std::string_view(release.digest).substr(prefix.size())
                                      : std::string_view();
  std::string_view asked = name;
  if (asked.substr(0, prefix.size()) == prefix) asked.remove_prefix(prefix.size());
  return asked.size() >= 12 && digits.substr(0, asked.size()) == asked;
}

}  // namespace

double HistoryEntry::seconds() const {
  double sum = 0;
  for (const Performed& step : steps) sum += step.seconds;
  return sum;
}

Ledger::Ledger(const std::vector<Record>& records) {
  for (const Record& record : records) {
    std::visit([&](const auto& entry) { apply(record, entry); }, record.entry);
  }
}

void Ledger::remember(std::vector<Release>& list, const Release& release) {
  if (release.empty()) return;
  std::erase_if(list, same(release));
  list.insert(list.begin(), release);
  list.resize(std::min(list.size(), most_remembered));
}

void Ledger::add(HistoryEntry entry) {
  ++outcomes_[{entry.operation, entry.exit_code}];
  history_.push_back(std::move(entry));
}

void Ledger::apply(const Record& record, const Begun& begun) {
  open_ = OpenTransaction{record.transaction, begun.plan, {}, record.time};
  remember(known_, begun.plan.target);
}

void Ledger::apply(const Record& record, const Intended& intended) {
  if (is_open(record)) open_->tail.at = {intended.step, intended.verdict};
}

void Ledger::apply(const Record& record, const Resumed&) {
  if (is_open(record)) ++open_->tail.attempts;
}

void Ledger::apply(const Record& record, const Ended& ended) {
  if (!is_open(record)) return;
  const Plan& plan = open_->plan;
  HistoryEntry entry = entry_of(*open_);
  entry.time = record.time;
  entry.exit_code = ended.exit_code;
  entry.message = ended.message;
  entry.running = ended.running;
  entry.ended = true;
  add(std::move(entry));
  if (ended.exit_code == static_cast<int>(ExitCode::done)) {
    remember(proven_, plan.target);
    std::erase_if(retracted_, same(plan.target));
    // Who starts anew what hangs does not flee from it.
    if (plan.rollback && plan.old && !plan.old->same_as(plan.target)) {
      remember(retracted_, *plan.old);
    }
  }
  open_.reset();
}

void Ledger::apply(const Record& record, const Brief& brief) {
  add({record.transaction, record.time, brief.operation, brief.actor, brief.reason, brief.target,
       "", brief.exit_code, brief.message});
}

void Ledger::apply(const Record& record, const Performed& performed) {
  if (is_open(record)) open_->steps.push_back(performed);
}

void Ledger::apply(const Record&, const Compacted& compacted) {
  forgotten_ = compacted.operations;
  proven_ = compacted.proven;
  known_ = compacted.known;
  retracted_ = compacted.retracted;
  outcomes_ = compacted.outcomes;
}

std::optional<HistoryEntry> Ledger::operation(const std::string& transaction) const {
  if (open_ && open_->id == transaction) return entry_of(*open_);
  for (const HistoryEntry& entry : history_) {
    if (entry.transaction == transaction) return entry;
  }
  return std::nullopt;
}

Compacted Ledger::compacted() const {
  return {forgotten_ + history_.size(), proven_, known_, retracted_, outcomes_};
}

std::optional<std::vector<Record>> compact(const std::vector<Record>& records, std::size_t most) {
  if (records.size() <= most) return std::nullopt;
  // Behind the last operation that had ended by then.
  std::size_t cut = 0;
  for (std::size_t i = records.size() - most; i > 0 && cut == 0; --i) {
    const Entry& entry = records[i - 1].entry;
    if (std::holds_alternative<Ended>(entry) || std::holds_alternative<Brief>(entry)) cut = i;
  }
  if (cut <= 1) return std::nullopt;
  const auto middle = records.begin() + static_cast<std::ptrdiff_t>(cut);
  const Ledger before({records.begin(), middle});
  if (before.open()) return std::nullopt;
  const Record& last = records[cut - 1];
  std::vector<Record> kept{{last.sequence, "", last.time, before.compacted()}};
  kept.insert(kept.end(), middle, records.end());
  return kept;
}

void Ledger::apply(const Record&, const Rebuilt& rebuilt) {
  for (const Release& release : rebuilt.releases) {
    remember(known_, release);
    remember(proven_, release);
  }
}

bool Ledger::is_proven(const Release& release) const {
  return contains(proven_, release);
}

bool Ledger::is_retracted(const Release& release) const {
  return contains(retracted_, release);
}

std::optional<Release> Ledger::rollback_target(const std::optional<Release>& current,
                                               const std::optional<Release>& refuge) const {
  if (refuge && is_proven(*refuge)) return refuge;
  for (const Release& release : proven_) {
    if (current && release.same_as(*current)) continue;
    if (!is_retracted(release)) return release;
  }
  return std::nullopt;
}

std::optional<Release> Ledger::find(const std::string& name) const {
  for (const std::vector<Release>* list : {&proven_, &known_}) {
    for (const Release& release : *list) {
      if (named(release, name)) return release;
    }
  }
  return std::nullopt;
}

std::optional<Release> Ledger::find_exact(const std::string& digest,
                                          const std::string& snapshot) const {
  for (const Release& release : known_) {
    if (release.digest == digest && release.snapshot == snapshot) return release;
  }
  return std::nullopt;
}

}  // namespace slipway::deploy
