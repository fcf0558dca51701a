// What the ledger keeps of what peers saw, when connectors are killed, when the power is cut, and
// over swaps: to the unit. Alice pays bob through one connector, or through two that share the
// ledger, while they are killed with SIGKILL at any moment; then the ledger must have the first so
// many of bob's fulfilments through each connector, and
//   sync    all of those that alice saw,
//   batch   all but those of the last `atRiskMs`.
//
//   ledger_trials CONNECTOR --store sqlite|postgres --durability batch|sync [--kills 10] [--cuts 3]
//   [--swaps 0] [--outages 0]
//
// An outage is a disk that is full, or a server that is gone: nothing may be lost by it.
//
// Exit: 0 all held, 1 not, 77 a power cut cannot be made here.
#include "base/command_line.hpp"
#include "base/random.hpp"
#include "base/unique_fd.hpp"
#include "connector/connector_process.hpp"
#include "connector/ledger_place.hpp"
#include "connector/payments.hpp"
#include "ledger/progress.hpp"
#include "ledger/reading.hpp"
#include "ledger/settlement.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <memory>
#include <random>
#include <set>
#include <sys/socket.h>
#include <unordered_map>

#include <fmt/core.h>

namespace slipway::connector::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int exit_failed = 1;
constexpr int exit_skipped = 77;
constexpr auto at_risk = ledger::Policy{}.at_risk;
// Between a connector's clock and what its peers can see of it, on a busy machine.
constexpr auto clock_tolerance = 25ms;
constexpr auto limit = std::int64_t{1} << 61;

struct Options {
  std::string connector;
  std::string store = "sqlite";
  std::string durability = "batch";
  int kills = 10;
  int cuts = 3;
  int swaps = 0;
  int outages = 0;
  double rate = 10'000;
  std::uint64_t seed = random_seed();
};

std::vector<ledger::AccountSpec> specs() {
  return {{"alice", {"USD", 9}, -limit, limit}, {"bob", {"USD", 9}, -limit, limit}};
}

std::string config(const std::string& store, const Options& options, const std::string& role,
                   int port = 0) {
  const auto account = [](const std::string& id) {
    return fmt::format(
        R"({{"id": "{0}", "asset": {{"code": "USD", "scale": 9}}, "token": "token-of-{0}",
      "minimumBalance": "{1}", "maximumBalance": "{2}"}})",
        id, -limit, limit);
  };
  return fmt::format(R"({{"address": "test.hub", "btp": {{"host": "127.0.0.1", "port": {}}},
    "http": {{"host": "127.0.0.1", "port": 0}}, "role": "{}", "expiryMarginMs": 50,
    "ledger": {{"store": "{}", "durability": "{}"}}, "accounts": [{}, {}]}})",
                     port, role, store, options.durability, account("alice"), account("bob"));
}

// A connector and who pays through it.
struct Colour {
  Colour(const std::string& executable, const std::string& configuration, double rate,
         std::uint64_t seed, std::size_t window = 4000)
      : process(executable, configuration), payments(process.btp_port(), rate, seed, window) {}

  void kill() {
    process.send_signal(SIGKILL);
    while (!process.exit_status()) std::this_thread::sleep_for(100us);
    payments.read_last_words();
  }

  ConnectorProcess process;
  Payments payments;
};

// A port that is free and that the kernel gives to nobody who asks for any: a drained connector
// leaves its own, and wants it again.
int lasting_port() {
  for (;;) {
    const int port = 10'000 + static_cast<int>(random_seed() % 20'000);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      return port;
  }
}

class Trials {
 public:
  Trials(const Options& options, bool can_be_cut)
      : options_(options), random_(options.seed), place_(options.store == "postgres", can_be_cut) {}

  void round(bool cut) {
    std::vector<std::unique_ptr<Colour>> colours;
    const std::size_t count = 1 + random_() % 2;
    for (std::size_t i = 0; i < count; ++i) {
      colours.push_back(
          std::make_unique<Colour>(options_.connector, config(place_.store(), options_, "active"),
                                   options_.rate / static_cast<double>(count), random_()));
    }
    serve(colours, std::chrono::milliseconds(30 + random_() % 370));
    if (!cut && count == 2) {
      // The other goes on, and has settled it in half of the cases.
      colours[0]->kill();
      serve(colours, std::chrono::milliseconds(random_() % 2200));
    }
    for (auto& colour : colours) colour->process.send_signal(SIGKILL);
    for (auto& colour : colours) colour->kill();
    kills_ += count;
    if (cut) place_.cut();
    cuts_ += cut;
    check(colours);
  }

  // Prepares are refused while the ledger cannot be kept, and what was fulfilled before is written
  // when it can be again.
  void break_down() {
    const auto ready = [](const Colour& colour) {
      try {
        http_get(colour.process.http_port(), "/health/ready");
        return true;
      } catch (const std::runtime_error&) {
        return false;
      }
    };
    place_.prepare_to_break();
    // Without a window: Fulfills that wait must not keep alice from asking.
    Colour colour(options_.connector, config(place_.store(), options_, "active"), options_.rate,
                  random_(), 1'000'000);
    const auto refused = [&] {
      const auto found = colour.payments.rejects().find("T00");
      return found == colour.payments.rejects().end() ? 0 : found->second;
    };
    const auto serve_until = [&](const char* what, const auto& done) {
      const auto deadline = Clock::now() + 30s;
      while (!done()) {
        colour.payments.step();
        if (Clock::now() > deadline) throw std::runtime_error(fmt::format("waited for {}", what));
      }
    };
    const auto begun = Clock::now();
    serve_until("some time", [&] { return Clock::now() > begun + 20ms; });
    place_.break_down();
    serve_until("T00", [&] { return refused() > 100; });
    expect(!ready(colour), "it is not ready while the ledger cannot be kept");
    place_.mend();
    serve_until("the ledger to work again", [&] { return ready(colour); });
    const std::size_t before = colour.payments.seen_count();
    serve_until("more packets", [&] { return colour.payments.seen_count() > before + 500; });
    while (colour.payments.unanswered() > 0) colour.payments.step(true);
    expect(colour.process.terminate() == 0, "it ends with 0");
    ++outages_;
    base_ += finish(colour.payments);
    expect(balance(read(), "bob") == base_,
           "after an outage the ledger has what the peers counted");
  }

  // Deploys and rollbacks: the one that serves is drained while another takes over.
  void swap_many(int swaps) {
    const auto start = [&](const char* role) {
      return std::make_unique<ConnectorProcess>(
          options_.connector, config(place_.store(), options_, role, lasting_port()));
    };
    std::unique_ptr<ConnectorProcess> serving = start("active");
    std::unique_ptr<ConnectorProcess> warm;
    auto payments = std::make_unique<Payments>(serving->btp_port(), options_.rate, random_());
    std::int64_t paid = 0;
    for (int i = 0; i < swaps; ++i) {
      const bool back = warm && random_() % 2 == 0;
      if (!back) {
        if (warm) expect(warm->terminate() == 0, "what was warm ends with 0");
        warm = start("standby");
      }
      warm->send_signal(SIGUSR2);
      const auto begun = Clock::now();
      while (warm->metric("ilp_role{role=\"active\"}") != 1) {
        payments->step();
        if (Clock::now() > begun + 60s) {
          throw std::runtime_error("a connector does not become active: " + warm->output());
        }
      }
      auto next = std::make_unique<Payments>(warm->btp_port(), options_.rate, random_());
      serving->send_signal(SIGUSR1);
      while (!payments->closed()) {
        payments->step();
        next->step();
      }
      paid += finish(*payments);
      std::swap(serving, warm);
      payments = std::move(next);
    }
    const auto end = Clock::now() + 200ms;
    while (Clock::now() < end) payments->step();
    while (payments->unanswered() > 0) payments->step(true);
    paid += finish(*payments);
    expect(serving->terminate() == 0 && (!warm || warm->terminate() == 0), "both end with 0");
    swaps_ += swaps;
    base_ += paid;
    const ledger::Books books = read();
    expect(balance(books, "bob") == base_ && balance(books, "alice") == -base_,
           fmt::format("after {} swaps the ledger has what the peers counted: {}", swaps, base_));
  }

  bool report() const {
    fmt::print(
        "{} {}: {} kills, {} power cuts, {} swaps, {} outages; {} Fulfills seen, not in the "
        "ledger: {}, at "
        "most {} in {:.1f} ms\n",
        options_.store, options_.durability, kills_, cuts_, swaps_, outages_, seen_, lost_,
        most_lost_, std::chrono::duration<double, std::milli>(longest_).count());
    return good_;
  }

 private:
  void expect(bool held, const std::string& what) {
    if (!held) fmt::print("FAIL {}\n", what);
    good_ = good_ && held;
  }

  static void serve(std::vector<std::unique_ptr<Colour>>& colours, std::chrono::milliseconds time) {
    const auto end = Clock::now() + time;
    while (Clock::now() < end) {
      for (auto& colour : colours) {
        if (!colour->payments.closed()) colour->payments.step();
      }
    }
  }

  // Everything that was fulfilled was seen, and nothing was refused; the sum.
  std::int64_t finish(const Payments& payments) {
    expect(payments.seen_count() + 1 == payments.sums().size(),
           fmt::format("alice saw {} Fulfills, bob sent {}", payments.seen_count(),
                       payments.sums().size() - 1));
    for (const auto& [code, count] : payments.rejects()) {
      // To be sent again: bob's socket may be the first that is closed, and where something is
      // always in flight new Prepares are refused at the end of a drain.
      expect(code == "T01" || code == "T03" || (code == "T00" && outages_ > 0),
             fmt::format("{} Rejects {}", count, code));
    }
    seen_ += payments.seen_count();
    return payments.sums().back();
  }

  ledger::Books read() {
    auto database = ledger::open_database(place_.store(), true).value();
    database->connect().value();
    auto books = ledger::read_books(*database).value();
    for (const std::string& fault : database->check_integrity().value()) expect(false, fault);
    for (const std::string& fault : ledger::faults_of(books, specs())) expect(false, fault);
    return books;
  }

  static std::int64_t balance(const ledger::Books& books, const std::string& account) {
    for (const ledger::Total& total : ledger::totals_of(books)) {
      if (total.account == account) return ledger::clamped(total.balance);
    }
    return 0;
  }

  void check(const std::vector<std::unique_ptr<Colour>>& colours) {
    // A server may still be committing what a dead connector sent it.
    wait_until("the sessions of the dead to end", [&] {
      const ledger::Books left = read();
      return std::none_of(left.instances.begin(), left.instances.end(),
                          [](const ledger::Instance& one) { return one.alive; });
    });
    const ledger::Books books = read();
    const std::int64_t now = balance(books, "bob");
    expect(balance(books, "alice") == -now, "alice has paid what bob has got");
    const auto kept = prefixes(colours, now - base_);
    if (kept.empty()) {
      expect(false,
             fmt::format("round {}: what the ledger has is no sum of the first so many", kills_));
    }
    for (std::size_t i = 0; i < kept.size(); ++i) judge(colours[i]->payments, kept[i]);
    base_ = now;
  }

  // How many of each one's fulfilments make up `sum`; empty: none do.
  static std::vector<std::size_t> prefixes(const std::vector<std::unique_ptr<Colour>>& colours,
                                           std::int64_t sum) {
    std::unordered_map<std::int64_t, std::size_t> first;
    const auto& sums = colours[0]->payments.sums();
    for (std::size_t i = 0; i < sums.size(); ++i) first[sums[i]] = i;
    if (colours.size() == 1) {
      const auto found = first.find(sum);
      return found == first.end() ? std::vector<std::size_t>{} : std::vector{found->second};
    }
    const auto& others = colours[1]->payments.sums();
    for (std::size_t i = 0; i < others.size(); ++i) {
      const auto found = first.find(sum - others[i]);
      if (found != first.end()) return {found->second, i};
    }
    return {};
  }

  void judge(const Payments& payments, std::size_t kept) {
    seen_ += payments.seen_count();
    if (kept >= payments.seen()) return;
    const auto span = payments.span_beyond(kept);
    const std::size_t lost = payments.seen() - kept;
    lost_ += lost;
    most_lost_ = std::max(most_lost_, lost);
    longest_ = std::max(longest_, span);
    if (options_.durability == "sync") {
      expect(false, fmt::format("{} Fulfills that alice saw are not in the ledger", lost));
    } else {
      expect(span <= at_risk + clock_tolerance,
             fmt::format("{} Fulfills of {:.1f} ms are not in the ledger", lost,
                         std::chrono::duration<double, std::milli>(span).count()));
    }
  }

  Options options_;
  std::mt19937_64 random_;
  LedgerPlace place_;
  std::int64_t base_ = 0;  // what bob had before this round
  std::size_t kills_ = 0;
  int cuts_ = 0;
  int swaps_ = 0;
  int outages_ = 0;
  std::size_t seen_ = 0;
  std::size_t lost_ = 0;
  std::size_t most_lost_ = 0;
  std::chrono::nanoseconds longest_{0};
  bool good_ = true;
};

int run(int argc, char** argv) {
  Options options;
  CommandLine line("ledger_trials", "Kills, power cuts and swaps, and what the ledger has then");
  line.add("connector", options.connector).required();
  line.add("--store", options.store, "sqlite or postgres").show_default();
  line.add("--durability", options.durability, "batch or sync").show_default();
  line.add("--kills", options.kills, "rounds with SIGKILL").show_default();
  line.add("--cuts", options.cuts, "rounds with a power cut").show_default();
  line.add("--swaps", options.swaps, "swaps").show_default();
  line.add("--outages", options.outages, "full disks, or servers gone").show_default();
  line.add("--rate", options.rate, "packets a second").show_default();
  line.add("--seed", options.seed, "of everything that is random");
  if (const auto status = line.parse(argc, argv)) return *status;
  fmt::print("seed {}\n", options.seed);
  const bool needs_disk = options.cuts > 0 || options.outages > 0;
  if (const auto why = PowerCutDisk::why_not(); needs_disk && !why.empty()) {
    fmt::print("skipped: {}\n", why);
    return exit_skipped;
  }
  if (needs_disk && !cut_loses_only_what_is_not_synced()) {
    fmt::print("FAIL the disk of the power cuts does not lose what was not synced\n");
    return exit_failed;
  }
  Trials trials(options, needs_disk);
  for (int i = 0; i < options.outages; ++i) trials.break_down();
  if (options.swaps > 0) trials.swap_many(options.swaps);
  for (int i = 0; i < options.kills + options.cuts; ++i) trials.round(i >= options.kills);
  return trials.report() ? exit_ok : exit_failed;
}

}  // namespace
}  // namespace slipway::connector::test

int main(int argc, char** argv) {
  return slipway::guarded_main("ledger_trials", slipway::connector::test::exit_failed,
                               [&] { return slipway::connector::test::run(argc, argv); });
}
