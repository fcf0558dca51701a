#include "packet_bench/load/load_thread.hpp"

#include "packet_bench/load/priority.hpp"
#include "packet_bench/target/btp_channel.hpp"
#include "packet_bench/target/http_channel.hpp"

#include <algorithm>
#include <sched.h>
#include <sys/prctl.h>
#include <thread>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr int batch = 64;                  // packets encoded before what came back is read
constexpr nanoseconds longest_wait = 5ms;  // so that stop requests and reconnects are seen
constexpr nanoseconds spin_lead = 30us;    // spinning begins this long before a packet is due
constexpr nanoseconds breath_every = 1ms;
constexpr nanoseconds breath = 60us;
constexpr nanoseconds stall_bound = 1ms;    // a packet sent later than this is a stall of the loop
constexpr nanoseconds grace = 200ms;        // after the last expiry, for the answer that says so
constexpr nanoseconds quick_answer = 20us;  // sleeping and waking cost as much
constexpr unsigned quick_memory = 16;       // sends
constexpr unsigned quick_trial = 64;        // sends between two tries whether the target is quick
constexpr nanoseconds tick_every = 50us;
constexpr std::size_t sweep = 32;  // slots looked at in every tick for expired packets
constexpr std::size_t max_disconnects = 16;
constexpr std::size_t max_codes = 64;

void keep_least(std::optional<nanoseconds>& least, nanoseconds value) {
  least = std::min(least.value_or(value), value);
}

std::unique_ptr<Channel> make_channel(Poller& poller, const Endpoint& endpoint,
                                      const LoadPlan& plan, PrepareTemplate& prepare,
                                      ChannelEvents& events) {
  if (endpoint.target.kind == TargetKind::btp_ws) {
    return std::make_unique<BtpChannel>(poller, endpoint.target, endpoint.address, prepare,
                                        plan.seed, events);
  }
  return std::make_unique<HttpChannel>(poller, endpoint.target, endpoint.address, plan.http,
                                       prepare, plan.seed, events);
}

}  // namespace

LoadThread::LoadThread(const LoadPlan& plan, unsigned index, const std::vector<Endpoint>& endpoints,
                       const std::optional<Endpoint>& receiver, SeriesRecorder& series,
                       std::atomic<unsigned>& busy_threads)
    : plan_(plan),
      index_(index),
      series_(series),
      busy_threads_(busy_threads),
      prepare_(plan.destination.empty() ? "private.none" : plan.destination, plan.amount,
               plan.data_bytes),
      table_(std::max<std::size_t>(2, plan.max_in_flight / plan.threads)) {
  for (const Endpoint& endpoint : endpoints) {
    channels_.push_back(make_channel(poller_, endpoint, plan, prepare_, *this));
    channels_.back()->index = static_cast<std::uint16_t>(channels_.size() - 1);
  }
  if (receiver) {
    receiver_ = std::make_unique<Receiver>(poller_, receiver->target, receiver->address,
                                           plan.receiver_behaviour);
  }
}

Result<void> LoadThread::connect(TimePoint deadline, const std::stop_token& stop) {
  ::prctl(PR_SET_TIMERSLACK, 1);
  if (plan_.high_priority) tally_.priority = raise_priority();
  real_time_ = tally_.priority == real_time_name;
  if (!plan_.cpu_affinity.empty()) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int cpu : plan_.cpu_affinity) CPU_SET(static_cast<std::size_t>(cpu), &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0) {
      return io_error("cannot run on the processors of", "--cpu-affinity", errno);
    }
  }
  // One refusal is final here: a target that is down must not be waited for.
  const auto refused = [](const std::string& why, std::string_view what) {
    return Error{ErrorKind::unreachable, fmt::format("cannot connect {}: {}", what, why), {}};
  };
  for (;;) {
    const TimePoint now = Clock::now();
    bool all_up = !receiver_ || receiver_->link().ready();
    tick(now);
    for (const auto& channel : channels_) {
      if (channel->up()) continue;
      all_up = false;
      if (!channel->failure().empty()) return refused(channel->failure(), "to the target");
    }
    if (receiver_ && !receiver_->link().failure().empty()) {
      return refused(receiver_->link().failure(), "the receiver");
    }
    if (all_up) return {};
    if (stop.stop_requested()) return Error{ErrorKind::cancelled, "interrupted", {}};
    if (now > deadline) return refused("no answer in time", "to the target");
    poller_.wait(1ms);
  }
}

void LoadThread::begin(TimePoint start) {
  start_ = start;
  window_begin_ = start + plan_.warmup;
  window_end_ = window_begin_ + plan_.duration;
  walker_ = std::make_unique<ScheduleWalker>(Schedule(plan_.arrivals, plan_.rate, plan_.seed),
                                             index_, plan_.threads);
  last_turn_ = start;
  held_until_ = start - 1ns;
  wall_start_ = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now() +
                                                              (start - Clock::now()));
}

void LoadThread::run(TimePoint start, const std::stop_token& stop) {
  begin(start);
  now_ = Clock::now();
  if (plan_.closed_loop()) {
    std::this_thread::sleep_until(start);
    now_ = Clock::now();
  }
  while (next_due() < window_end_ && !stop.stop_requested()) {
    wait_until(next_due());
    now_ = Clock::now();
    tick(now_);
    roll_interval(now_);
    send_due();
    take_breath();
    last_turn_ = now_;
  }
  const bool complete = next_due() >= window_end_;
  tally_.ended = complete ? window_end_ : std::min(now_, window_end_);
  drain(stop);
  if (outstanding_since_) {
    tally_.longest_gap =
        std::max<nanoseconds>(tally_.longest_gap, tally_.ended - *outstanding_since_);
  }
  table_.give_up_all([this](const PacketTable::Packet& packet) { count_given_up(packet); });
  series_.merge(second_index_, second_);
  tally_.up_at_end = std::any_of(channels_.begin(), channels_.end(),
                                 [](const auto& channel) { return channel->up(); });
  for (const auto& channel : channels_) channel->close();
  if (receiver_) receiver_->link().close();
}

// After the last packet: until each is answered or has expired. A run that is interrupted does not
// keep its user waiting for a target that is silent.
void LoadThread::drain(const std::stop_token& stop) {
  const TimePoint patient_until = now_ + plan_.expiry + grace;
  const TimePoint hasty_until = now_ + 1s;
  bool busy = true;
  while (now_ < patient_until) {
    if (busy && table_.in_flight() == 0) {
      busy = false;
      busy_threads_.fetch_sub(1);
    }
    // The thread with the receiver stays until the others' packets are through.
    if (!busy && (!receiver_ || busy_threads_.load() == 0)) break;
    if (stop.stop_requested() && now_ > hasty_until) break;
    now_ = Clock::now();
    tick(now_);
    roll_interval(now_);
    poller_.wait(1ms);
  }
  if (busy) busy_threads_.fetch_sub(1);
}

void LoadThread::tick(TimePoint now) {
  if (now < next_tick_) return;
  next_tick_ = now + tick_every;
  for (const auto& channel : channels_) {
    if (!channel->up()) channel->tick(now);
  }
  if (receiver_ && !receiver_->link().ready()) receiver_->link().tick(now);
  table_.give_up_expired(now - 1s, sweep,
                         [this](const PacketTable::Packet& packet) { count_given_up(packet); });
}

// The kernel stops real-time threads for 50 ms when they have had 95 % of a second. A loop that has
// no time to sleep takes its breaks itself, in pieces that nobody notices.
void LoadThread::take_breath() {
  if (!real_time_ || now_ - breath_at_ < breath_every) return;
  const nanoseconds used = thread_processor_time();
  const bool sleepless = used - used_before_ > (now_ - breath_at_) * 9 / 10;
  if (sleepless) std::this_thread::sleep_for(breath);
  used_before_ = used;
  breath_at_ = sleepless ? Clock::now() : now_;
}

void LoadThread::wait_until(TimePoint when) {
  // While packets are held back, what frees them is an event or a reconnect.
  if (when <= held_until_) {
    poller_.wait(1ms);
    return;
  }
  const nanoseconds left = when - Clock::now();
  if (plan_.precision == Precision::normal) {
    poller_.wait(answer_is_near(when - left) ? 0ns : std::min(left, longest_wait));
    return;
  }
  // A timer wakes 10 to 30 us late: sleep up to shortly before, then poll without waiting.
  poller_.wait(left > spin_lead + 5us ? std::min(left - spin_lead, longest_wait) : 0ns);
}

// A target that answers within the time that it takes to sleep and wake is not slept on: that costs
// no more, and the answer is noted when it comes. Whether it does is learned from its last answers.
bool LoadThread::answer_is_near(TimePoint now) const {
  return watchful_ && table_.in_flight() > 0 && now - last_send_ < quick_answer;
}

void LoadThread::note_send() {
  quickness_ = answered_quickly_ ? std::min(quickness_ + 1, quick_memory)
                                 : quickness_ - std::min(quickness_, 1u);
  answered_quickly_ = false;
  sends_since_trial_ = (sends_since_trial_ + 1) % quick_trial;
  watchful_ = quickness_ > 0 || sends_since_trial_ == 0;
  last_send_ = now_;
}

Channel* LoadThread::channel_with_room() {
  for (std::size_t tried = 0; tried < channels_.size(); ++tried) {
    Channel& channel = *channels_[next_channel_];
    next_channel_ = next_channel_ + 1 < channels_.size() ? next_channel_ + 1 : 0;
    if (channel.can_send()) return &channel;
  }
  return nullptr;
}

void LoadThread::send_due() {
  bool first = true;
  bool sent = false;
  for (int count = 0; count < batch; ++count) {
    const TimePoint due = next_due();
    if (due > now_ || due >= window_end_) break;
    if (!outstanding_since_) outstanding_since_ = due;
    Channel* channel = table_.full() ? nullptr : channel_with_room();
    if (channel == nullptr) {
      held_until_ = now_;
      drop_overdue();
      break;
    }
    if (first && due > held_until_) note_stall(due);
    first = false;
    sent = true;
    send_one(*channel);
  }
  if (!sent) return;
  for (Channel* const channel : to_flush_) channel->flush();
  to_flush_.clear();
  note_send();
}

void LoadThread::note_stall(TimePoint due) {
  // Only the time since the last turn: what is older was counted then.
  const nanoseconds stall = now_ - std::max(due, last_turn_);
  tally_.longest_stall = std::max(tally_.longest_stall, stall);
  if (stall < stall_bound) return;
  if (const auto slice = slice_of(now_)) tally_.stall[*slice] += stall;
}

void LoadThread::send_one(Channel& channel) {
  const TimePoint due = next_due();
  const bool held = due <= held_until_;
  const auto expires_at =
      wall_start_ + std::chrono::floor<std::chrono::milliseconds>(now_ - start_ + plan_.expiry);
  const std::uint32_t ticket = table_.add({.number = walker_->number(),
                                           .due = due,
                                           .sent = now_,
                                           .expires = now_ + plan_.expiry,
                                           .channel = channel.index,
                                           .held = held});
  channel.send(ticket, walker_->number(), expires_at);
  if (to_flush_.empty() || to_flush_.back() != &channel) to_flush_.push_back(&channel);
  PacketCounts& counts = counts_of(due);
  ++counts.planned;
  ++counts.sent;
  ++second_.sent;
  // A packet that the target or a lost connection held back is late, but not by our fault.
  if (!held && due >= window_begin_) {
    const nanoseconds lateness = now_ - due;
    tally_.lateness.record(lateness);
    second_.lateness_max = std::max(second_.lateness_max, lateness);
    if (const auto slice = slice_of(due)) keep_least(tally_.least_lateness[*slice], lateness);
  }
  walker_->advance();
}

// Nothing can be sent: packets that have been waiting for longer than they would be valid are
// counted as unsent.
void LoadThread::drop_overdue() {
  for (;;) {
    const TimePoint due = next_due();
    if (due + plan_.expiry > now_ || due >= window_end_) return;
    PacketCounts& counts = counts_of(due);
    ++counts.planned;
    ++counts.unsent;
    ++second_.not_fulfilled;
    walker_->advance();
  }
}

void LoadThread::on_input() {
  now_ = Clock::now();
}

void LoadThread::on_answer(Channel&, std::uint32_t ticket, const Answer& answer) {
  const PacketTable::Lookup lookup = table_.take(ticket);
  if (now_ - last_send_ < quick_answer) answered_quickly_ = true;
  switch (lookup.found) {
    case PacketTable::Found::in_flight:
      return count_answer(lookup.packet, answer);
    case PacketTable::Found::given_up: {
      PacketCounts& counts = counts_of(lookup.packet.due);
      --counts.unanswered;
      ++counts.late;
      return;
    }
    case PacketTable::Found::duplicate:
      ++tally_.duplicates;
      return;
    case PacketTable::Found::unknown:
      ++tally_.unexpected;
      return;
  }
}

void LoadThread::count_answer(const PacketTable::Packet& packet, const Answer& answer) {
  PacketCounts& counts = counts_of(packet.due);
  if (answer.kind == Answer::Kind::rejected) {
    ++second_.not_fulfilled;
    // A hostile target must not grow our memory with invented codes.
    const bool room = counts.rejected.size() < max_codes;
    ++counts.rejected[room ? std::string(answer.code) : std::string("other")];
    return;
  }
  if (now_ > packet.expires) {
    ++second_.not_fulfilled;
    ++counts.late;
    return;
  }
  if (answer.kind == Answer::Kind::failed) {
    ++second_.not_fulfilled;
    ++counts.failed;
    return;
  }
  if (answer.kind == Answer::Kind::fulfilled) {
    // The condition was made of this preimage, so comparing it verifies the SHA-256.
    const Preimage expected = preimage_of(plan_.seed, packet.number);
    if (!std::equal(expected.begin(), expected.end(), answer.fulfillment.begin(),
                    answer.fulfillment.end())) {
      ++second_.not_fulfilled;
      ++counts.wrong;
      return;
    }
  }
  ++counts.fulfilled;
  count_fulfilled(packet);
}

void LoadThread::count_fulfilled(const PacketTable::Packet& packet) {
  if (outstanding_since_) {
    if (packet.due >= window_begin_) {
      const TimePoint since = std::max(*outstanding_since_, window_begin_);
      tally_.longest_gap = std::max<nanoseconds>(tally_.longest_gap, now_ - since);
    }
    outstanding_since_.reset();
    if (table_.in_flight() > 0) outstanding_since_ = now_;
  }
  if (packet.due < window_begin_) return;
  const nanoseconds lag = now_ - packet.due;
  tally_.latency.record(lag);
  tally_.latency_from_sent.record(now_ - packet.sent);
  ++second_.fulfilled;
  second_.latency.record(lag);
  if (const auto slice = slice_of(packet.due)) {
    keep_least(tally_.least_lag[*slice], packet.held ? lag : now_ - packet.sent);
  }
}

void LoadThread::count_given_up(const PacketTable::Packet& packet) {
  ++second_.not_fulfilled;
  ++counts_of(packet.due).unanswered;
}

void LoadThread::on_down(Channel& channel, const std::string& why) {
  table_.give_up_channel(channel.index,
                         [this](const PacketTable::Packet& packet) { count_given_up(packet); });
  if (tally_.disconnects.size() < max_disconnects) tally_.disconnects.push_back(why);
}

void LoadThread::roll_interval(TimePoint now) {
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

std::uint64_t LoadThread::reconnects() const {
  std::uint64_t total = 0;
  for (const auto& channel : channels_) {
    total += channel->times_up() > 0 ? channel->times_up() - 1 : 0;
  }
  return total;
}

}  // namespace slipway::bench
