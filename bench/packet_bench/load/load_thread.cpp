#include "packet_bench/load/load_thread.hpp"

#include <algorithm>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds stall_bound = 1ms;  // a packet sent later than this is a stall of the loop
constexpr nanoseconds grace = 200ms;      // after the last expiry, for the answer that says so
constexpr std::size_t max_disconnects = 16;

void keep_least(std::optional<nanoseconds>& least, nanoseconds value) {
  least = std::min(least.value_or(value), value);
}

}  // namespace

LoadThread::LoadThread(const LoadPlan& plan, const SendingPlan& sending, SeriesRecorder& series,
                       std::atomic<unsigned>& busy_threads)
    : plan_(plan), series_(series), busy_threads_(busy_threads), loop_(sending, *this) {}

Result<void> LoadThread::connect(TimePoint deadline, const std::stop_token& stop) {
  auto connected = loop_.connect(deadline, stop);
  tally_.priority = loop_.priority();
  return connected;
}

void LoadThread::run(TimePoint start, const std::stop_token& stop) {
  window_begin_ = start + plan_.warmup;
  window_end_ = window_begin_ + plan_.duration;
  loop_.begin(start);
  // To its end, also when no more packet is due in it: what is slow is measured for as long as it
  // says.
  const auto complete = [this] {
    return loop_.next_due() >= window_end_ && loop_.now() >= window_end_;
  };
  while (!complete() && !stop.stop_requested()) loop_.turn(window_end_);
  tally_.ended = complete() ? window_end_ : std::min(loop_.now(), window_end_);
  drain(stop);
  if (outstanding_since_) {
    tally_.longest_gap =
        std::max<nanoseconds>(tally_.longest_gap, tally_.ended - *outstanding_since_);
  }
  tally_.up_at_end = loop_.any_up();
  loop_.end();
  series_.merge(second_index_, second_);
}

// After the last packet: until each is answered or has expired. A run that is interrupted does not
// keep its user waiting for a target that is silent.
void LoadThread::drain(const std::stop_token& stop) {
  const TimePoint patient_until = loop_.now() + plan_.expiry + grace;
  const TimePoint hasty_until = loop_.now() + 1s;
  bool busy = true;
  while (loop_.now() < patient_until) {
    if (busy && loop_.in_flight() == 0) {
      busy = false;
      busy_threads_.fetch_sub(1);
    }
    // The thread with the receiver stays until the others' packets are through.
    if (!busy && (!loop_.has_receiver() || busy_threads_.load() == 0)) break;
    if (stop.stop_requested() && loop_.now() > hasty_until) break;
    loop_.rest();
  }
  if (busy) busy_threads_.fetch_sub(1);
}

void LoadThread::on_stall(nanoseconds stall, TimePoint now) {
  tally_.longest_stall = std::max(tally_.longest_stall, stall);
  if (stall < stall_bound) return;
  if (const auto slice = slice_of(now)) tally_.stall[*slice] += stall;
}

void LoadThread::on_sent(const Packet& packet) {
  if (!outstanding_since_) outstanding_since_ = packet.due;
  PacketCounts& counts = counts_of(packet.due);
  ++counts.planned;
  ++counts.sent;
  ++second_.sent;
  // A packet that the target or a lost connection held back is late, but not by our fault.
  if (packet.held || packet.due < window_begin_) return;
  const nanoseconds lateness = packet.sent - packet.due;
  tally_.lateness.record(lateness);
  second_.lateness_max = std::max(second_.lateness_max, lateness);
  if (const auto slice = slice_of(packet.due)) keep_least(tally_.least_lateness[*slice], lateness);
}

void LoadThread::on_unsent(TimePoint due, std::size_t) {
  if (!outstanding_since_) outstanding_since_ = due;
  PacketCounts& counts = counts_of(due);
  ++counts.planned;
  ++counts.unsent;
  ++second_.not_fulfilled;
  ++second_.losses.unsent;
}

void LoadThread::on_end(const Packet& packet, PacketEnd end, std::string_view code, TimePoint now) {
  count_end(counts_of(packet.due), end, code);
  if (end == PacketEnd::fulfilled) return count_fulfilled(packet, now);
  ++second_.not_fulfilled;
  count_end(second_.losses, end, code);
}

void LoadThread::on_first_byte(const Packet& packet, TimePoint at) {
  if (packet.due >= window_begin_) tally_.first_byte.record(at - packet.sent);
}

// The load's own connections are opened before it begins, so they count whenever they came about.
void LoadThread::on_up(const Opening& opening) {
  tally_.connect.record(opening.connect);
  if (opening.tls) tally_.handshake.record(*opening.tls);
}

void LoadThread::on_late_answer(const Packet& packet) {
  PacketCounts& counts = counts_of(packet.due);
  --counts.unanswered;
  ++counts.late;
}

void LoadThread::count_fulfilled(const Packet& packet, TimePoint now) {
  if (outstanding_since_) {
    if (packet.due >= window_begin_) {
      const TimePoint since = std::max(*outstanding_since_, window_begin_);
      tally_.longest_gap = std::max<nanoseconds>(tally_.longest_gap, now - since);
    }
    outstanding_since_.reset();
    if (loop_.in_flight() > 0) outstanding_since_ = now;
  }
  if (packet.due < window_begin_) return;
  const nanoseconds lag = now - packet.due;
  tally_.latency.record(lag);
  tally_.latency_from_sent.record(now - packet.sent);
  ++second_.fulfilled;
  second_.latency.record(lag);
  if (const auto slice = slice_of(packet.due)) {
    keep_least(tally_.least_lag[*slice], packet.held ? lag : now - packet.sent);
  }
}

void LoadThread::on_down(std::size_t, const std::string& why) {
  if (tally_.disconnects.size() < max_disconnects) tally_.disconnects.push_back(why);
}

void LoadThread::on_turn(TimePoint now) {
  if (now < window_begin_) return;
  if (!series_begun_) {
    second_.clear();  // what the warm-up left in it
    series_begun_ = true;
  }
  const auto index = static_cast<std::size_t>((now - window_begin_) / 1s);
  if (index == second_index_) return;
  // Seconds in which this thread did not run at all are empty, not missing.
  for (; second_index_ < index; ++second_index_) {
    series_.merge(second_index_, second_);
    second_.clear();
  }
}

std::optional<std::size_t> LoadThread::slice_of(TimePoint time) const {
  if (time < window_begin_ || time >= window_end_) return std::nullopt;
  const auto offset = static_cast<std::uint64_t>((time - window_begin_).count());
  const auto length = static_cast<std::uint64_t>(plan_.duration.count()) / LoadPlan::pace_slices;
  return std::min<std::size_t>(offset / std::max<std::uint64_t>(1, length),
                               LoadPlan::pace_slices - 1);
}

}  // namespace slipway::bench
