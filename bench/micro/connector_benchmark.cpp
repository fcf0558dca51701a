// What the connector does with a packet besides system calls.
#include "base/sha256.hpp"
#include "connector/account.hpp"
#include "connector/forwarder.hpp"
#include "connector/histogram.hpp"
#include "connector/route_table.hpp"
#include "micro/iterations.hpp"

#include <random>

#include <benchmark/benchmark.h>
#include <fmt/core.h>

namespace {

using namespace slipway;
using namespace slipway::connector;

// Lookups in a table of that many prefixes of two to four segments.
void route_lookup(benchmark::State& state) {
  RouteTable routes;
  std::mt19937 random(1);
  std::vector<std::string> addresses;
  for (AccountIndex i = 0; i < static_cast<AccountIndex>(state.range(0)); ++i) {
    const std::string prefix =
        fmt::format("g.region{}.bank{}{}", random() % 50, i, i % 3 == 0 ? ".branch" : "");
    routes.add(prefix, i);
    if (i % 16 == 0) addresses.push_back(prefix + ".customer.invoice-12345");
  }
  std::shuffle(addresses.begin(), addresses.end(), random);
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(routes.find(addresses[next]));
    if (++next == addresses.size()) next = 0;
  }
}
BENCHMARK(route_lookup)->Apply(counted)->Arg(2)->Arg(1000)->Arg(100'000);

void balance_hold_and_commit(benchmark::State& state) {
  Balance from(INT64_MIN, INT64_MAX);
  Balance to(INT64_MIN, INT64_MAX);
  for (auto _ : state) {
    benchmark::DoNotOptimize(from.hold_debit(1));
    benchmark::DoNotOptimize(to.hold_credit(1));
    from.commit_debit(1);
    to.commit_credit(1);
    benchmark::DoNotOptimize(&from);
    benchmark::DoNotOptimize(&to);
  }
}
BENCHMARK(balance_hold_and_commit)->Apply(counted);

void histogram_record(benchmark::State& state) {
  DurationHistogram histogram;
  std::chrono::nanoseconds duration{37'000};
  for (auto _ : state) {
    histogram.record(duration);
    duration = std::chrono::nanoseconds((duration.count() * 7 + 11) % 3'000'000);
  }
  benchmark::DoNotOptimize(&histogram);
}
BENCHMARK(histogram_record)->Apply(counted);

void fulfilment_check(benchmark::State& state) {
  Sha256 sha256;
  std::array<std::uint8_t, 32> preimage{};
  for (auto _ : state) {
    benchmark::DoNotOptimize(sha256.digest(preimage));
    ++preimage[0];
  }
}
BENCHMARK(fulfilment_check)->Apply(counted);

// A link that counts.
class NullLink : public Link {
 public:
  void send_prepare(std::uint32_t request_id, wire::Bytes, std::uint64_t,
                    wire::Timestamp) override {
    last_request = request_id;
  }
  void send_reply(std::uint32_t, wire::Bytes) override { ++replies; }
  bool congested() const override { return false; }

  std::uint32_t last_request = 0;
  std::uint64_t replies = 0;
};

// Prepare in, Prepare out, Fulfill in, Fulfill out: all of the forwarder, none of the links.
void forward_and_fulfil(benchmark::State& state) {
  Config config;
  config.address = "test.slipway";
  config.ledger.policy.durability = ledger::Durability::none;
  for (const char* id : {"alice", "bob"}) {
    AccountConfig account;
    account.id = id;
    account.address = fmt::format("test.slipway.{}", id);
    account.asset_code = "USD";
    config.accounts.push_back(account);
  }
  LinkTable links;
  NullLink alice;
  NullLink bob;
  const LinkId alice_link = links.add(alice);
  const LinkId bob_link = links.add(bob);
  Now now = Now::read();
  Forwarder forwarder(config, links, now);
  forwarder.attach(0, alice_link, now);
  forwarder.attach(1, bob_link, now);
  const std::array<std::uint8_t, 32> preimage{};
  const Digest condition = Sha256().digest(preimage);
  std::vector<std::uint8_t> prepare;
  wire::encode(
      wire::Prepare{1, now.wall + std::chrono::hours(1), condition, "test.slipway.bob.x", preimage},
      prepare);
  std::vector<std::uint8_t> fulfill;
  wire::encode(wire::Fulfill{preimage, {}}, fulfill);
  for (auto _ : state) {
    forwarder.handle_prepare(0, alice_link, 1, prepare, now);
    forwarder.handle_reply(bob_link, bob.last_request, fulfill, now);
  }
  state.SetItemsProcessed(state.iterations());
  if (forwarder.accounts()[1].outgoing[fulfilled_outcome] != alice.replies) {
    state.SkipWithError("not every packet was fulfilled");
  }
}
BENCHMARK(forward_and_fulfil)->Apply(counted);

}  // namespace
