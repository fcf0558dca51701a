#include "packet_bench/load/sending_loop.hpp"

#include "packet_bench/load/priority.hpp"

#include <algorithm>
#include <cmath>
#include <sched.h>
#include <sys/prctl.h>
#include <thread>
#include <time.h>

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
constexpr nanoseconds quick_answer = 20us;  // sleeping and waking cost as much
constexpr unsigned quick_memory = 16;       // sends
constexpr unsigned quick_trial = 64;        // sends between two tries whether the target is quick
constexpr nanoseconds longest_rest = 1ms;   // without reading what arrives
constexpr nanoseconds tick_every = 200us;
constexpr std::size_t at_once = 64;  // connections being opened: each has only so much time
constexpr std::size_t sweep = 32;    // slots looked at in every tick for expired packets

Error unconnected(const SendingPlan::Line& line, std::string_view why) {
  return {ErrorKind::unreachable, fmt::format("cannot connect {}: {}", line.name, why), {}};
}

// The steady clock is CLOCK_MONOTONIC. Not std's sleep_until, which asks for the time once more.
void sleep_until(TimePoint when) {
  const auto since_boot = std::chrono::duration_cast<nanoseconds>(when.time_since_epoch()).count();
  const timespec until{since_boot / 1'000'000'000, since_boot % 1'000'000'000};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

}  // namespace

SendingLoop::SendingLoop(const SendingPlan& plan, PacketSink& sink)
    : plan_(plan),
      sink_(sink),
      closed_loop_(std::isinf(plan.rate)),
      table_(std::max<std::size_t>(2, plan.max_in_flight)) {
  for (const SendingPlan::Line& line : plan_.senders) {
    const std::string account = line.destination.empty() ? "private.none" : line.destination;
    PrepareTemplate* const prepare =
        line.target.scheme->pays
            ? &prepares_.try_emplace(account, account, plan_.amount, plan_.data_bytes).first->second
            : nullptr;
    channels_.push_back(line.target.scheme->make({.poller = poller_,
                                                  .target = line.target,
                                                  .address = line.address,
                                                  .http = plan_.http,
                                                  .prepare = prepare,
                                                  .seed = plan_.seed,
                                                  .events = *this}));
    channels_.back()->index = static_cast<std::uint16_t>(channels_.size() - 1);
  }
  const std::size_t halves = plan_.spread == Spread::pairs ? 2 : 1;
  for (std::size_t i = 0; i < halves; ++i) {
    halves_[i].count = channels_.size() / halves;
    halves_[i].first = i * halves_[i].count;
  }
  for (const SendingPlan::Line& line : plan_.receivers) {
    receivers_.push_back(
        std::make_unique<Receiver>(poller_, line.target, line.address, plan_.receiver_behaviour));
  }
}

Result<void> SendingLoop::take_place() {
  ::prctl(PR_SET_TIMERSLACK, 1);
  if (plan_.high_priority) priority_ = raise_priority();
  real_time_ = priority_ == real_time_name;
  if (real_time_ && plan_.before_real_time) {
    const sched_param higher{.sched_priority = 2};
    ::sched_setscheduler(0, SCHED_FIFO, &higher);
  }
  if (plan_.cpu_affinity.empty()) return {};
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : plan_.cpu_affinity) CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (::sched_setaffinity(0, sizeof set, &set) == 0) return {};
  return io_error("cannot run on the processors of", "--cpu-affinity", errno);
}

Result<void> SendingLoop::connect(TimePoint deadline, const std::stop_token& stop) {
  if (auto placed = take_place(); !placed) return placed;
  for (;;) {
    const TimePoint now = Clock::now();
    const SendingPlan::Line* waited_for = nullptr;
    tick(now);
    for (std::size_t i = 0; i < channels_.size(); ++i) {
      if (channels_[i]->up()) continue;
      waited_for = &plan_.senders[i];
      const std::string& failure = channels_[i]->failure();
      if (!failure.empty()) return unconnected(*waited_for, failure);
    }
    for (std::size_t i = 0; i < receivers_.size(); ++i) {
      if (receivers_[i]->link().ready()) continue;
      if (waited_for == nullptr) waited_for = &plan_.receivers[i];
      const std::string& failure = receivers_[i]->link().failure();
      if (!failure.empty()) return unconnected(plan_.receivers[i], failure);
    }
    if (waited_for == nullptr) return {};
    if (stop.stop_requested()) return Error{ErrorKind::cancelled, "interrupted", {}};
    if (now > deadline) return unconnected(*waited_for, "no answer in time");
    poller_.wait(1ms);
  }
}

void SendingLoop::begin(TimePoint start) {
  start_ = start;
  walker_.emplace(Schedule(plan_.arrivals, plan_.rate, plan_.seed), plan_.first, plan_.step);
  last_turn_ = start;
  held_until_ = start - 1ns;
  wall_start_ = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now() +
                                                              (start - Clock::now()));
  if (closed_loop_) std::this_thread::sleep_until(start);
  now_ = Clock::now();
}

void SendingLoop::turn(TimePoint end) {
  wait_until(next_due());
  now_ = Clock::now();
  tick(now_);
  sink_.on_turn(now_);
  send_due(end);
  take_breath();
  last_turn_ = now_;
}

void SendingLoop::rest() {
  now_ = Clock::now();
  tick(now_);
  sink_.on_turn(now_);
  poller_.wait(1ms);
}

void SendingLoop::end() {
  for (Half& half : halves_) half.held.clear();  // they might have been sent yet
  table_.give_up_all([this](const PacketTable::Packet& packet) {
    sink_.on_end(packet, PacketEnd::given_up, {}, now_);
  });
  for (const auto& channel : channels_) channel->close();
  for (const auto& receiver : receivers_) receiver->link().close();
}

void SendingLoop::tick(TimePoint now) {
  if (now < next_tick_) return;
  next_tick_ = now + tick_every;
  reads_later_ = may_read_later();
  std::size_t coming = 0;
  for (const auto& channel : channels_) {
    if (channel->up() ? channel->needs_tick() : ++coming <= at_once) channel->tick(now);
  }
  for (const auto& receiver : receivers_) {
    if (receiver->link().needs_tick()) receiver->link().tick(now);
  }
  table_.give_up_expired(now - 1s, sweep, [this](const PacketTable::Packet& packet) {
    sink_.on_end(packet, PacketEnd::given_up, {}, now_);
  });
}

// The kernel stops real-time threads for 50 ms when they have had 95 % of a second. A loop that has
// no time to sleep takes its breaks itself, in pieces that nobody notices.
void SendingLoop::take_breath() {
  if (!real_time_ || now_ - breath_at_ < breath_every) return;
  const nanoseconds used = thread_processor_time();
  const bool sleepless = used - used_before_ > (now_ - breath_at_) * 9 / 10;
  if (sleepless) std::this_thread::sleep_for(breath);
  used_before_ = used;
  breath_at_ = sleepless ? Clock::now() : now_;
}

void SendingLoop::wait_until(TimePoint when) {
  // While packets are held back, what frees them is an event or a reconnect.
  if (when <= held_until_) {
    poller_.wait(1ms);
    return;
  }
  const nanoseconds left = when - Clock::now();
  if (reads_later_ && left < longest_rest) {
    sleep_until(when);
    poller_.wait(0ns);
    return;
  }
  if (plan_.precision == Precision::normal) {
    poller_.wait(answer_is_near(when - left) ? 0ns : std::min(left, longest_wait));
    return;
  }
  // A timer wakes 10 to 30 us late: sleep up to shortly before, then poll without waiting.
  poller_.wait(left > spin_lead + 5us ? std::min(left - spin_lead, longest_wait) : 0ns);
}

// Being woken by an answer costs as much as being woken to send, and a timer set anew. So where the
// kernel notes when answers arrive they are read when the next packet is due. Not where our
// receiver's peer waits for us to read.
bool SendingLoop::may_read_later() const {
  return plan_.precision == Precision::normal && !closed_loop_ && receivers_.empty() &&
         plan_.spread == Spread::any &&
         std::all_of(channels_.begin(), channels_.end(),
                     [](const auto& channel) { return channel->stamps_arrivals(); });
}

// A target that answers within the time that it takes to sleep and wake is not slept on: that costs
// no more, and the answer is noted when it comes. Whether it does is learned from its last answers.
bool SendingLoop::answer_is_near(TimePoint now) const {
  return watchful_ && table_.in_flight() > 0 && now - last_send_ < quick_answer;
}

void SendingLoop::note_send() {
  if (!plan_.watches_quick_targets) return;
  quickness_ = answered_quickly_ ? std::min(quickness_ + 1, quick_memory)
                                 : quickness_ - std::min(quickness_, 1u);
  answered_quickly_ = false;
  sends_since_trial_ = (sends_since_trial_ + 1) % quick_trial;
  watchful_ = quickness_ > 0 || sends_since_trial_ == 0;
  last_send_ = now_;
}

SendingLoop::Half& SendingLoop::half_of(std::uint64_t number) {
  if (plan_.spread == Spread::any) return halves_[0];
  return halves_[(mixed(plan_.seed ^ (number / 2)) & 1) ^ (number & 1)];
}

Channel* SendingLoop::channel_with_room(Half& half) {
  if (table_.full()) return nullptr;
  for (std::size_t tried = 0; tried < half.count; ++tried) {
    Channel& channel = *channels_[half.first + half.next];
    half.next = half.next + 1 < half.count ? half.next + 1 : 0;
    if (channel.can_send()) return &channel;
  }
  return nullptr;
}

// Whether any was sent.
bool SendingLoop::send_held() {
  bool sent = false;
  for (Half& half : halves_) {
    while (!half.held.empty()) {
      const Due due = half.held.front();
      if (due.when + plan_.longest_hold < now_) {
        sink_.on_unsent(due.when, half.first);
      } else if (Channel* const channel = channel_with_room(half)) {
        send_one(*channel, due, true);
        sent = true;
      } else {
        break;
      }
      half.held.pop_front();
    }
  }
  return sent;
}

void SendingLoop::send_due(TimePoint end) {
  bool first = true;
  bool sent = send_held();
  for (int count = 0; count < batch; ++count) {
    const Due due{walker_->number(), next_due()};
    if (due.when > now_ || due.when >= end) break;
    Half& half = half_of(due.number);
    Channel* const channel = half.held.empty() ? channel_with_room(half) : nullptr;
    if (channel == nullptr && plan_.spread == Spread::any) {
      held_until_ = now_;
      drop_overdue(end);
      break;
    }
    if (first && due.when > held_until_) note_stall(due.when);
    first = false;
    if (channel != nullptr) {
      sent = true;
      send_one(*channel, due, due.when <= held_until_);
    } else {
      half.held.push_back(due);
    }
    walker_->advance();
  }
  if (!sent) return;
  for (Channel* const channel : to_flush_) channel->flush();
  to_flush_.clear();
  note_send();
}

void SendingLoop::note_stall(TimePoint due) {
  // Only the time since the last turn: what is older was told then.
  sink_.on_stall(now_ - std::max(due, last_turn_), now_);
}

void SendingLoop::send_one(Channel& channel, const Due& due, bool held) {
  const PacketTable::Packet packet{.number = due.number,
                                   .due = due.when,
                                   .sent = now_,
                                   .expires = now_ + plan_.expiry,
                                   .channel = channel.index,
                                   .held = held,
                                   .link = channel.link()};
  const auto expires_at =
      wall_start_ + std::chrono::floor<std::chrono::milliseconds>(now_ - start_ + plan_.expiry);
  channel.send(table_.add(packet), packet.number, expires_at);
  if (to_flush_.empty() || to_flush_.back() != &channel) to_flush_.push_back(&channel);
  sink_.on_sent(packet);
}

// Nothing can be sent: packets that have been waiting for longer than they would be valid never
// will be.
void SendingLoop::drop_overdue(TimePoint end) {
  for (;;) {
    const TimePoint due = next_due();
    if (due + plan_.expiry > now_ || due >= end) return;
    sink_.on_unsent(due, 0);
    walker_->advance();
  }
}

void SendingLoop::on_input(TimePoint arrived) {
  now_ = Clock::now();
  arrived_ = arrived;
}

void SendingLoop::on_answer(Channel&, std::uint32_t ticket, const Answer& answer) {
  const PacketTable::Lookup lookup = table_.take(ticket);
  if (arrived_ - last_send_ < quick_answer) answered_quickly_ = true;
  switch (lookup.found) {
    case PacketTable::Found::in_flight:
      if (answer.began) sink_.on_first_byte(lookup.packet, *answer.began);
      return sink_.on_end(lookup.packet, end_of(lookup.packet, answer), answer.code,
                          std::max(arrived_, lookup.packet.sent));
    case PacketTable::Found::given_up:
      return sink_.on_late_answer(lookup.packet);
    case PacketTable::Found::duplicate:
      return sink_.on_duplicate();
    case PacketTable::Found::unknown:
      return sink_.on_unexpected();
  }
}

PacketEnd SendingLoop::end_of(const PacketTable::Packet& packet, const Answer& answer) const {
  if (answer.kind == Answer::Kind::rejected) return PacketEnd::rejected;
  if (arrived_ > packet.expires) return PacketEnd::late;
  if (answer.kind == Answer::Kind::failed) return PacketEnd::failed;
  if (answer.kind == Answer::Kind::accepted) return PacketEnd::fulfilled;
  // The condition was made of this preimage, so comparing it verifies the SHA-256.
  const Preimage expected = preimage_of(plan_.seed, packet.number);
  const bool right = std::equal(expected.begin(), expected.end(), answer.fulfillment.begin(),
                                answer.fulfillment.end());
  return right ? PacketEnd::fulfilled : PacketEnd::wrong;
}

void SendingLoop::on_down(Channel& channel, const Loss& loss) {
  // The whole table is looked through: not where nothing is to be found, and many go down at once.
  if (loss.unanswered) {
    table_.give_up_link(channel.index, loss.link, [this](const PacketTable::Packet& packet) {
      sink_.on_end(packet, PacketEnd::given_up, {}, now_);
    });
  }
  sink_.on_down(channel.index, loss.why);
}

bool SendingLoop::any_up(std::size_t first, std::size_t count) const {
  return std::any_of(channels_.begin() + static_cast<std::ptrdiff_t>(first),
                     channels_.begin() + static_cast<std::ptrdiff_t>(first + count),
                     [](const auto& channel) { return channel->well(); });
}

std::string SendingLoop::first_refusal() const {
  for (const auto& channel : channels_) {
    if (!channel->first_refusal().empty()) return channel->first_refusal();
  }
  return {};
}

std::uint64_t SendingLoop::receiver_prepares() const {
  std::uint64_t total = 0;
  for (const auto& receiver : receivers_) total += receiver->prepares();
  return total;
}

std::uint64_t SendingLoop::reconnects() const {
  std::uint64_t total = 0;
  for (const auto& channel : channels_) {
    total += channel->times_up() > 0 ? channel->times_up() - 1 : 0;
  }
  return total;
}

}  // namespace slipway::bench
