#include "packet_bench/duet/duet_round.hpp"

#include "packet_bench/common/schedule.hpp"
#include "packet_bench/duet/duet_places.hpp"

#include <optional>

namespace slipway::bench {

Result<RoundOutcome> play_round(const DuetRound& round,
                                const std::function<bool(const Pair&)>& on_pair,
                                std::stop_token stop) {
  const TimePoint begin = Clock::now();
  std::array<std::optional<Driven>, 2> driven;
  const std::size_t first = mixed(round.seed) & 1;
  for (const std::size_t side : {first, 1 - first}) {
    auto started = Driven::start(round.targets[side], round.extra_cpu_percent[side], stop);
    if (!started) return of_side(side, started.error());
    driven[side].emplace(std::move(*started));
  }
  DuetPlan plan;
  plan.sides = {driven[base]->side(), driven[candidate]->side()};
  plan.connections = round.connections;
  plan.rate = round.rate;
  plan.http = round.http;
  plan.seed = round.seed;
  plan.warmup = round.warmup;
  plan.slice = round.slice;
  plan.tls = round.tls;
  std::optional<Places> places;
  if (driven[base]->processes() && driven[candidate]->processes()) {
    places.emplace(std::array{driven[base]->processes(), driven[candidate]->processes()}, first);
    plan.cpu_affinity = places->generator();
    plan.on_turn = [&] { places->swap(); };
  }
  const auto on_slice = [&](const DuetSlice& slice) {
    Pair pair = to_pair(slice, round.number);
    pair.elapsed_s = std::chrono::duration<double>(Clock::now() - begin).count();
    return on_pair(pair);
  };
  const auto played = drive_duet(plan, on_slice, stop);
  for (const Side side : {base, candidate}) {
    if (const auto death = driven[side]->death()) {
      return of_side(side, {ErrorKind::unreachable, *death, {}});
    }
  }
  if (!played) return played.error();
  return RoundOutcome{places ? places->refused() : std::string(), *played};
}

}  // namespace slipway::bench
