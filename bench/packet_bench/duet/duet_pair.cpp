#include "packet_bench/duet/duet_pair.hpp"

#include "base/json.hpp"

#include <cmath>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using Json = nlohmann::ordered_json;

double as_ms(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

double share(std::chrono::nanoseconds part, std::chrono::nanoseconds whole) {
  return whole.count() > 0 ? static_cast<double>(part.count()) / static_cast<double>(whole.count())
                           : 0;
}

// Enough digits for a ratio of one in 100,000.
double rounded(double value) {
  return std::round(value * 1e6) / 1e6;
}

struct Field {
  const char* name;
  double PairSide::* member;
};
constexpr std::array<Field, 6> fields{{{"cpuUsPerPacket", &PairSide::cpu_us_per_packet},
                                       {"p50Ms", &PairSide::p50_ms},
                                       {"p99Ms", &PairSide::p99_ms},
                                       {"fulfilledShare", &PairSide::fulfilled_share},
                                       {"memoryMb", &PairSide::memory_mb},
                                       {"waitMs", &PairSide::wait_ms}}};

Result<double> number(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number()) {
    return Error{ErrorKind::corrupt, fmt::format("a pair has no number '{}'", name), {}};
  }
  const double value = found->get<double>();
  if (!std::isfinite(value) || value < 0) {
    return Error{ErrorKind::corrupt, fmt::format("a pair's '{}' is {}", name, value), {}};
  }
  return value;
}

}  // namespace

Pair to_pair(const DuetSlice& slice, unsigned round) {
  Pair pair;
  pair.round = round;
  pair.seconds = std::chrono::duration<double>(slice.length).count();
  pair.steal_share = share(slice.steal, slice.length * slice.processors);
  pair.stall_share = share(slice.generator_stall, slice.length);
  for (std::size_t i = 0; i < 2; ++i) {
    const SideSlice& from = slice.sides[i];
    PairSide& to = pair.sides[i];
    const auto fulfilled = static_cast<double>(from.fulfilled);
    if (from.cpu && from.fulfilled > 0) to.cpu_us_per_packet = as_ms(*from.cpu) * 1e3 / fulfilled;
    to.p50_ms = as_ms(from.p50);
    to.p99_ms = as_ms(from.p99);
    // Packets in flight at a border count where they are answered.
    const double ended = fulfilled + static_cast<double>(from.lost);
    to.fulfilled_share = ended > 0 ? fulfilled / ended : 0;
    to.memory_mb = static_cast<double>(from.resident_bytes) / (1024.0 * 1024.0);
    to.wait_ms = as_ms(from.wait);
  }
  return pair;
}

Json to_json(const Pair& pair) {
  Json json = {{"round", pair.round},
               {"seconds", rounded(pair.seconds)},
               {"elapsedS", rounded(pair.elapsed_s)},
               {"stealShare", rounded(pair.steal_share)},
               {"stallShare", rounded(pair.stall_share)}};
  for (std::size_t i = 0; i < 2; ++i) {
    Json side;
    for (const Field& field : fields) side[field.name] = rounded(pair.sides[i].*field.member);
    json[side_names[i]] = std::move(side);
  }
  return json;
}

Result<Pair> pair_from_json(const Json& json) {
  if (!json.is_object()) return Error{ErrorKind::corrupt, "a pair is no object", {}};
  Pair pair;
  const auto round = number(json, "round");
  if (!round) return round.error();
  pair.round = static_cast<unsigned>(std::min(*round, 1e9));
  for (const auto& [name, into] :
       {std::pair{"seconds", &pair.seconds}, std::pair{"elapsedS", &pair.elapsed_s},
        std::pair{"stealShare", &pair.steal_share}, std::pair{"stallShare", &pair.stall_share}}) {
    const auto value = number(json, name);
    if (!value) return value.error();
    *into = *value;
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const auto side = json.find(side_names[i]);
    if (side == json.end() || !side->is_object()) {
      return Error{ErrorKind::corrupt, fmt::format("a pair has no '{}'", side_names[i]), {}};
    }
    for (const Field& field : fields) {
      const auto value = number(*side, field.name);
      if (!value) return value.error();
      pair.sides[i].*field.member = *value;
    }
  }
  return pair;
}

}  // namespace slipway::bench
