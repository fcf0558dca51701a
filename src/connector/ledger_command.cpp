#include "connector/ledger_command.hpp"

#include "base/json.hpp"
#include "base/units.hpp"
#include "connector/bookkeeper.hpp"
#include "ledger/reading.hpp"
#include "ledger/settlement.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/core.h>

namespace slipway::connector {
namespace {

constexpr int found_faults = 1;

std::string name_of(ledger::InstanceId id) {
  return id == ledger::settled_part ? "settled" : fmt::format("{:x}", id);
}

std::string state_of(const ledger::Instance& instance) {
  if (instance.settled != 0) return "settled";
  return instance.alive ? "runs" : "ended";
}

// Amounts are texts: JSON's numbers are exact only up to 2^53.
Json account_json(const ledger::Total& total, const ledger::Books& books) {
  Json parts = Json::array();
  for (const ledger::PartRow& row : books.parts) {
    if (row.account != total.account) continue;
    parts.push_back({{"instance", name_of(row.instance)},
                     {"balance", std::to_string(row.part.balance)},
                     {"floor", std::to_string(row.part.floor)},
                     {"ceiling", std::to_string(row.part.ceiling)}});
  }
  return {{"account", total.account},
          {"asset", total.asset.code},
          {"scale", total.asset.scale},
          {"balance", ledger::to_decimal(total.balance)},
          {"parts", parts}};
}

Json books_json(const ledger::Books& books) {
  Json accounts = Json::array();
  for (const ledger::Total& total : ledger::totals_of(books)) {
    accounts.push_back(account_json(total, books));
  }
  Json positions = Json::array();
  for (const ledger::PositionRow& row : books.positions) {
    positions.push_back({{"instance", name_of(row.instance)},
                         {"asset", row.asset.code},
                         {"scale", row.asset.scale},
                         {"units", ledger::to_decimal(row.units)}});
  }
  Json instances = Json::array();
  for (const ledger::Instance& instance : books.instances) {
    instances.push_back({{"instance", name_of(instance.id)},
                         {"started", instance.started},
                         {"version", instance.version},
                         {"state", state_of(instance)}});
  }
  return {{"schema", books.schema},
          {"readAt", format_utc(std::chrono::system_clock::now())},
          {"accounts", accounts},
          {"positions", positions},
          {"instances", instances}};
}

void show_text(const ledger::Books& books) {
  std::size_t width = std::string_view("account").size();
  const auto totals = ledger::totals_of(books);
  for (const ledger::Total& total : totals) width = std::max(width, total.account.size());
  fmt::print("{:{}}  {:>22}  asset\n", "account", width, "balance");
  for (const ledger::Total& total : totals) {
    fmt::print("{:{}}  {:>22}  {}\n", total.account, width, ledger::to_decimal(total.balance),
               to_string(total.asset));
  }
  for (const ledger::Instance& instance : books.instances) {
    if (instance.settled != 0) continue;
    fmt::print("instance {} of version {}, since {}: {}\n", name_of(instance.id), instance.version,
               instance.started,
               instance.alive ? "runs" : "has ended; the next connector that starts settles it");
  }
}

// One line an account, for other programs.
void export_text(const ledger::Books& books) {
  fmt::print("account\tasset\tscale\tbalance\n");
  for (const ledger::Total& total : ledger::totals_of(books)) {
    fmt::print("{}\t{}\t{}\t{}\n", total.account, total.asset.code, total.asset.scale,
               ledger::to_decimal(total.balance));
  }
}

Result<int> verify(ledger::Database& database, const ledger::Books& books,
                   const std::optional<Config>& config, bool json) {
  auto faults = database.check_integrity();
  if (!faults) return faults.error();
  const auto more = ledger::faults_of(
      books, config ? account_specs(*config) : std::vector<ledger::AccountSpec>{});
  faults->insert(faults->end(), more.begin(), more.end());
  if (json) {
    fmt::print("{}\n", to_text({{"ok", faults->empty()}, {"faults", *faults}}));
  } else {
    for (const std::string& fault : *faults) fmt::print("fault: {}\n", fault);
    if (faults->empty()) {
      const auto running = std::count_if(books.instances.begin(), books.instances.end(),
                                         [](const auto& one) { return one.alive; });
      fmt::print("ok: {} accounts, each asset sums up to zero; {} instances run\n",
                 ledger::totals_of(books).size(), running);
    }
  }
  return faults->empty() ? exit_ok : found_faults;
}

}  // namespace

LedgerCommand::LedgerCommand(CommandLine& line)
    : command_(line.add_command("ledger", "look at the balances that are kept")),
      show_(command_.add_command("show", "accounts and their balances, and who writes them")),
      verify_(command_.add_command("verify", "whether the books agree with themselves; 1: no")),
      export_(
          command_.add_command("export", "a line an account, with tabs; all of it with --json")) {
  command_.require_commands(1, 1);
  for (Flags* command : {&show_, &verify_, &export_}) {
    command->add("--store", store_, "the ledger, if not the configured one");
    command->add("--json", json_, "as JSON");
  }
}

Result<int> LedgerCommand::run(const std::optional<Config>& config) const {
  const std::string store = store_.empty() && config ? config->ledger.store : store_;
  if (store == "none") {
    return Error{ErrorKind::usage, "the configuration says that no ledger is kept",
                 "name one with --store"};
  }
  const auto database = ledger::open_database(store, true);
  if (!database) return database.error();
  if (const auto connected = (*database)->connect(); !connected) return connected.error();
  const auto books = ledger::read_books(**database);
  if (!books) return books.error();
  if (verify_.given()) return verify(**database, *books, config, json_);
  if (json_) {
    fmt::print("{}\n", to_text(books_json(*books), 2));
  } else if (export_.given()) {
    export_text(*books);
  } else {
    show_text(*books);
  }
  return exit_ok;
}

}  // namespace slipway::connector
