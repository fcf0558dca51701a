#include "packet_bench/duet/duet_load.hpp"

#include "packet_bench/common/histogram.hpp"
#include "packet_bench/load/sending_loop.hpp"
#include "packet_bench/subject/machine.hpp"

#include <algorithm>
#include <exception>
#include <thread>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds connect_deadline = 10s;
constexpr nanoseconds head_start = 5ms;
constexpr nanoseconds stall_bound = 1ms;  // as in an ordinary run
constexpr nanoseconds longest_drain = 500ms;
constexpr nanoseconds longest_absence = 3s;  // of all connections to a side

// One side's cost, and what became of its packets in this slice and so far.
struct Books {
  CostLook cost;
  bool reconnects = false;  // else a lost connection ends the duet
  SideTotals totals;
  std::optional<TimePoint> absent_since;
  SideSlice slice;
  Histogram latency;
  std::optional<ProcessUsage> usage;  // at the slice's begin
};

class DuetLoad final : private PacketSink {
 public:
  using OnSlice = std::function<bool(const DuetSlice&)>;

  DuetLoad(const DuetPlan& plan, const SendingPlan& sending) : plan_(plan), loop_(sending, *this) {
    for (const Side side : {base, candidate}) {
      books_[side].cost = plan.sides[side].cost;
      books_[side].reconnects = plan.sides[side].sender.scheme->requests;
    }
  }

  Result<std::array<SideTotals, 2>> run(const OnSlice& on_slice, const std::stop_token& stop) {
    const auto connected = loop_.connect(Clock::now() + connect_deadline, stop);
    if (!connected) return connected.error();
    play(on_slice, stop);
    // So that no packet is in flight when the connections go.
    const TimePoint until = Clock::now() + longest_drain;
    while (lost_.empty() && loop_.in_flight() > 0 && loop_.now() < until) loop_.rest();
    loop_.end();
    if (!lost_.empty()) return Error{ErrorKind::unreachable, lost_, {}};
    if (stop.stop_requested()) return Error{ErrorKind::cancelled, "interrupted", {}};
    return std::array{books_[base].totals, books_[candidate].totals};
  }

 private:
  void play(const OnSlice& on_slice, const std::stop_token& stop) {
    const TimePoint start = Clock::now() + head_start;
    loop_.begin(start);
    TimePoint border = start + plan_.warmup;
    TimePoint turn = start + plan_.turn;
    bool warm = false;
    while (lost_.empty() && !stop.stop_requested()) {
      loop_.turn(TimePoint::max());
      const TimePoint now = loop_.now();
      if (now >= turn) {
        plan_.on_turn();
        look_for_absence(now);
        turn = std::max(turn + plan_.turn, now + plan_.turn / 2);
      }
      if (now < border) continue;
      const DuetSlice slice = cut(now);
      if (!warm) {
        for (Books& books : books_) books.totals = {};
      }
      border = std::max(border + plan_.slice, now + plan_.slice / 2);
      if (warm && !on_slice(slice)) return;
      warm = true;
    }
  }

  void look_for_absence(TimePoint now) {
    for (const Side side : {base, candidate}) {
      Books& books = books_[side];
      if (loop_.any_up(side * plan_.connections, plan_.connections)) {
        books.absent_since.reset();
      } else if (now - books.absent_since.value_or(now) > longest_absence) {
        lost_ = fmt::format("the {} could not be reached any more: {}", side_names[side],
                            books.totals.last_disconnect);
      } else if (!books.absent_since) {
        books.absent_since = now;
      }
    }
  }

  // Ends the slice and begins the next one.
  DuetSlice cut(TimePoint now) {
    DuetSlice slice;
    const ProcessorTimes machine = processor_times();
    slice.length = now - cut_at_;
    slice.steal = machine.steal - machine_.steal;
    slice.processors = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
    slice.generator_stall = std::exchange(stall_, nanoseconds(0));
    machine_ = machine;
    cut_at_ = now;
    for (const Side side : {base, candidate}) slice.sides[side] = cut(books_[side]);
    return slice;
  }

  static SideSlice cut(Books& books) {
    const auto usage = books.cost();
    if (usage && books.usage) {
      books.slice.cpu = usage->cpu - books.usage->cpu;
      books.slice.wait = std::max(nanoseconds(0), usage->wait - books.usage->wait);
      books.slice.resident_bytes = usage->resident_bytes;
    }
    books.usage = usage;
    books.slice.p50 = books.latency.percentile(50);
    books.slice.p99 = books.latency.percentile(99);
    books.latency.clear();
    return std::exchange(books.slice, {});
  }

  std::size_t side_of(std::size_t channel) const { return channel / plan_.connections; }
  Books& books_of(std::size_t channel) { return books_[side_of(channel)]; }

  void on_sent(const Packet& packet) override {
    Books& books = books_of(packet.channel);
    ++books.slice.sent;
  }
  void on_unsent(TimePoint, std::size_t channel) override {
    Books& books = books_of(channel);
    ++books.slice.lost;
    ++books.totals.packets.planned;
    ++books.totals.packets.unsent;
  }
  void on_end(const Packet& packet, PacketEnd end, std::string_view code, TimePoint now) override {
    Books& books = books_of(packet.channel);
    ++books.totals.packets.planned;
    ++books.totals.packets.sent;
    count_end(books.totals.packets, end, code);
    if (end != PacketEnd::fulfilled) {
      ++books.slice.lost;
      return;
    }
    ++books.slice.fulfilled;
    books.latency.record(now - packet.due);
  }
  void on_stall(nanoseconds stall, TimePoint) override {
    if (stall >= stall_bound) stall_ += stall;
  }
  void on_down(std::size_t channel, const std::string& why) override {
    Books& books = books_of(channel);
    ++books.totals.disconnects;
    books.totals.last_disconnect = why;
    if (books.reconnects || !lost_.empty()) return;
    lost_ = fmt::format("the connection to the {} was lost: {}", side_names[side_of(channel)], why);
  }

  const DuetPlan& plan_;
  SendingLoop loop_;
  std::array<Books, 2> books_;
  TimePoint cut_at_;
  ProcessorTimes machine_;
  nanoseconds stall_{0};
  std::string lost_;
};

// Both sides at twice the rate of one: two packets fall due in every 1 / rate seconds.
Result<SendingPlan> sending_plan(const DuetPlan& plan) {
  const auto tls = net::TlsContext::make(plan.tls);
  if (!tls) return tls.error();
  // A web server's connections hold only so many; what is lost with one is looked for in them all.
  const bool packets = plan.sides[base].sender.scheme->pays;
  const std::size_t most = std::size_t{2} * plan.connections * plan.http.pipeline;
  SendingPlan sending{.http = plan.http,
                      .data_bytes = plan.data_bytes,
                      .rate = 2 * plan.rate,
                      .seed = plan.seed,
                      .max_in_flight = packets ? SendingPlan{}.max_in_flight : most,
                      .spread = Spread::pairs,
                      .watches_quick_targets = false,
                      .high_priority = plan.high_priority,
                      .before_real_time = true,
                      .cpu_affinity = plan.cpu_affinity};
  for (const Side side : {base, candidate}) {
    const DuetSide& played = plan.sides[side];
    const std::string name = fmt::format("to the {}", side_names[side]);
    auto sender = resolve(played.sender, *tls);
    if (!sender) return sender.error();
    sending.senders.insert(sending.senders.end(), plan.connections,
                           {played.sender, *sender, played.destination, name});
    if (!played.receiver) continue;
    auto receiver = resolve(*played.receiver, *tls);
    if (!receiver) return receiver.error();
    sending.receivers.push_back({*played.receiver, *receiver, "", name});
  }
  return sending;
}

}  // namespace

void SideTotals::add(const SideTotals& other) {
  packets.add(other.packets);
  disconnects += other.disconnects;
  if (!other.last_disconnect.empty()) last_disconnect = other.last_disconnect;
}

Result<std::array<SideTotals, 2>> drive_duet(const DuetPlan& plan,
                                             const std::function<bool(const DuetSlice&)>& on_slice,
                                             std::stop_token stop) {
  const auto sending = sending_plan(plan);
  if (!sending) return sending.error();
  // On a thread of its own, since its priority is not the caller's.
  Result<std::array<SideTotals, 2>> result = std::array<SideTotals, 2>{};
  std::jthread([&] {
    try {
      result = DuetLoad(plan, *sending).run(on_slice, stop);
    } catch (const std::exception& error) {
      result = Error{ErrorKind::failed, error.what(), {}};
    }
  }).join();
  return result;
}

}  // namespace slipway::bench
