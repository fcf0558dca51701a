#include "packet_bench/load/packet_sink.hpp"

namespace slipway::bench {
namespace {

constexpr std::size_t max_codes = 64;

}  // namespace

void count_end(PacketCounts& counts, PacketEnd end, std::string_view code) {
  switch (end) {
    case PacketEnd::fulfilled:
      ++counts.fulfilled;
      return;
    case PacketEnd::rejected: {
      // A hostile target must not grow our memory with invented codes.
      const bool room = counts.rejected.size() < max_codes;
      ++counts.rejected[room ? std::string(code) : std::string("other")];
      return;
    }
    case PacketEnd::late:
      ++counts.late;
      return;
    case PacketEnd::failed:
      ++counts.failed;
      return;
    case PacketEnd::wrong:
      ++counts.wrong;
      return;
    case PacketEnd::given_up:
      ++counts.unanswered;
      return;
  }
}

}  // namespace slipway::bench
