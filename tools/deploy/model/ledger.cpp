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

Ledger::Ledger(const std::vector<Record>& records) {
  for (const Record& record : records) {
    std::visit([&](const auto& entry) { apply(record, entry); }, record.entry);
  }
}

void Ledger::remember(std::vector<Release>& list, const Release& release) {
  if (release.empty()) return;
  std::erase_if(list, same(release));
  list.insert(list.begin(), release);
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
  history_.push_back({open_->id, record.time, plan.rollback ? "rollback" : "deploy", plan.actor,
                      plan.reason, plan.target.describe(),
                      plan.old ? plan.old->describe() : std::string(), ended.exit_code});
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

void Ledger::apply(const Record& record, const Refused& refused) {
  history_.push_back({record.transaction, record.time, refused.operation, refused.actor,
                      refused.reason, refused.target, "", refused.exit_code});
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
