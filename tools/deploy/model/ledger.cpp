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
  for (const Record& record : records) apply(record);
}

void Ledger::remember(std::vector<Release>& list, const Release& release) {
  if (release.empty()) return;
  list.erase(std::remove_if(list.begin(), list.end(), same(release)), list.end());
  list.insert(list.begin(), release);
}

void Ledger::apply(const Record& record) {
  if (record.type == "begin") {
    open_ = OpenTransaction{record.transaction, plan_from_json(record.data), {}, record.time};
    remember(known_, open_->plan.target);
  } else if (record.type == "refused") {
    history_.push_back({record.transaction, record.time, record.data.value("operation", ""),
                        record.data.value("actor", ""), record.data.value("reason", ""),
                        record.data.value("target", ""), "", record.data.value("exitCode", 0)});
  } else if (record.type == "rebuilt") {
    for (const auto& json : record.data.value("releases", nlohmann::json::array())) {
      remember(known_, release_from_json(json));
      remember(proven_, release_from_json(json));
    }
  } else if (open_ && record.transaction == open_->id) {
    if (record.type == "intent") {
      open_->tail.at = {parse_step(record.data.value("step", "")).value_or(Step::hold),
                        parse_verdict(record.data.value("verdict", "")).value_or(Verdict::none)};
    } else if (record.type == "resume") {
      ++open_->tail.attempts;
    } else if (record.type == "end") {
      finish(record);
    }
  }
}

void Ledger::finish(const Record& record) {
  const Plan& plan = open_->plan;
  const int exit_code = record.data.value("exitCode", 0);
  history_.push_back({open_->id, record.time, plan.rollback ? "rollback" : "deploy", plan.actor,
                      plan.reason, plan.target.describe(),
                      plan.old ? plan.old->describe() : std::string(), exit_code});
  if (exit_code == static_cast<int>(ExitCode::done)) {
    remember(proven_, plan.target);
    retracted_.erase(std::remove_if(retracted_.begin(), retracted_.end(), same(plan.target)),
                     retracted_.end());
    if (plan.rollback && plan.old) remember(retracted_, *plan.old);
  }
  open_.reset();
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
