#pragma once

#include "connector/departure_rules.hpp"
#include "connector/hub.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/steady_timer.hpp>

namespace slipway::connector {

// Sends the peers of a draining connector away, each at its turn (DepartureRules).
class Departure {
 public:
  explicit Departure(Hub& hub) : hub_(hub), timer_(hub.io) {}

  // `tells`: peers are told to move, where they understand it; there is a successor. `others_send`
  // says whether packets may still come from elsewhere than from BTP peers. `over` is called once
  // only those are left that have moved.
  void begin(bool tells, std::function<bool()> others_send, std::function<void()> over);
  // Leaves all as they are.
  void stop();

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Leaving {
    std::shared_ptr<BtpConnection> connection;
    TimePoint turn;
    bool told = false;
  };

  void gather();
  bool moves(const BtpConnection& connection) const;
  void tick();
  void take_turns(TimePoint now);
  void close_who_may(TimePoint now);
  DepartureRules::Peer state_of(const Leaving& leaving, TimePoint now) const;

  Hub& hub_;
  boost::asio::steady_timer timer_;
  bool tells_ = false;
  std::function<bool()> others_send_;
  std::function<void()> over_;
  TimePoint began_;
  std::vector<Leaving> to_come_;  // the next one is the last
  std::vector<Leaving> due_;
};

}  // namespace slipway::connector
