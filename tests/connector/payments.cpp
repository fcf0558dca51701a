#include "connector/payments.hpp"

#include <algorithm>
#include <array>
#include <poll.h>
#include <stdexcept>

namespace slipway::connector::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t number_at = 32;  // in the data, behind the preimage

}  // namespace

Payments::Payments(std::uint16_t port, double rate, std::uint64_t seed, std::size_t window)
    : alice_(port, "token-of-alice"),
      bob_(port, "token-of-bob"),
      rate_(rate),
      window_(window),
      random_(seed) {}

void Payments::pay() {
  const std::uint32_t number = ++number_;
  // So large that two different sums are hardly ever equal by chance.
  const auto amount = static_cast<std::int64_t>(1 + random_() % (std::uint64_t{1} << 36));
  const Preimage preimage = preimage_of(number);
  std::array<std::uint8_t, 32> condition;
  ::SHA256(preimage.data(), preimage.size(), condition.data());
  std::vector<std::uint8_t> data(preimage.begin(), preimage.end());
  for (int shift = 24; shift >= 0; shift -= 8) {
    data.push_back(static_cast<std::uint8_t>(number >> shift));
  }
  std::vector<std::uint8_t> packet;
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  wire::encode(wire::Prepare{static_cast<std::uint64_t>(amount), now + 30s, condition,
                             "test.hub.bob.x", data},
               packet);
  alice_.send(wire::BtpType::message, number, packet);
  amounts_[number] = amount;
}

void Payments::step(bool only_answer) {
  const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  while (!only_answer && number_ < seconds * rate_ && amounts_.size() < window_) pay();
  alice_.flush();
  bob_.flush();
  std::array<pollfd, 2> entries{pollfd{alice_.fd(), POLLIN, 0}, pollfd{bob_.fd(), POLLIN, 0}};
  ::poll(entries.data(), entries.size(), 1);
  bob_.receive([this](const wire::BtpFrame& frame) { answer(frame); });
  bob_.flush();
  alice_.receive([this](const wire::BtpFrame& frame) { take(frame); });
}

void Payments::read_last_words() {
  const auto ignore = [](const wire::BtpFrame&) {};
  for (int i = 0; i < 1000 && !alice_.closed(); ++i) {
    alice_.receive([this](const wire::BtpFrame& frame) { take(frame); });
  }
  bob_.receive(ignore);
}

void Payments::answer(const wire::BtpFrame& frame) {
  if (frame.type != wire::BtpType::message) return;
  const auto packet = wire::decode_packet(frame.find("ilp")->data);
  const auto& prepare = std::get<wire::Prepare>(*packet);
  Preimage preimage;
  std::copy_n(prepare.data.begin(), preimage.size(), preimage.begin());
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | prepare.data[number_at + i];
  bob_.send(wire::BtpType::response, frame.request_id, make_fulfill(preimage));
  order_[number] = times_.size();
  times_.push_back({Clock::now(), std::nullopt});
  sums_.push_back(sums_.back() + static_cast<std::int64_t>(prepare.amount));
}

void Payments::take(const wire::BtpFrame& frame) {
  if (frame.type != wire::BtpType::response) return;
  if (amounts_.erase(frame.request_id) == 0) throw std::runtime_error("an answer to nothing");
  const auto packet = wire::decode_packet(frame.find("ilp")->data);
  if (const auto* reject = std::get_if<wire::Reject>(&*packet)) {
    ++rejects_[std::string(reject->code)];
    return;
  }
  const auto order = order_.find(frame.request_id);
  if (order == order_.end()) throw std::runtime_error("a Fulfill that bob did not send");
  times_[order->second].seen = Clock::now();
  seen_ = std::max(seen_, order->second + 1);
  ++seen_count_;
  order_.erase(order);
}

std::chrono::nanoseconds Payments::span_beyond(std::size_t kept) const {
  std::vector<Clock::time_point> fulfilled;
  std::vector<Clock::time_point> seen;
  for (std::size_t i = kept; i < times_.size(); ++i) {
    if (!times_[i].seen) continue;
    fulfilled.push_back(times_[i].fulfilled);
    seen.push_back(*times_[i].seen);
  }
  if (seen.empty()) return 0ns;
  const auto span = [](const std::vector<Clock::time_point>& times) {
    const auto [first, last] = std::minmax_element(times.begin(), times.end());
    return *last - *first;
  };
  return std::min(span(fulfilled), span(seen));
}

}  // namespace slipway::connector::test
