#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <utility>

#include <boost/asio/ip/address.hpp>

namespace slipway::connector {

// How many strangers may be connected at once. A connection holds a ticket while it has not shown
// whose it is; when there are too many, one is closed for the newest: the one that has waited
// longest of the address that has most. So idle connections cannot keep an account out, nor can
// a flood of them from elsewhere push out one that is just shaking hands.
class Admission {
 public:
  class Ticket;

 private:
  using Address = boost::asio::ip::address;
  // Shared with the tickets, since a connection may be destroyed after its listener.
  struct State {
    std::list<Ticket*> waiting;  // oldest first
    std::map<Address, std::uint32_t> counts;
  };

 public:
  class Ticket {
   public:
    Ticket(std::shared_ptr<State> state, const Address& from, std::function<void()> evict)
        : state_(std::move(state)),
          from_(from),
          evict_(std::move(evict)),
          entry_(state_->waiting.insert(state_->waiting.end(), this)) {
      ++state_->counts[from_];
    }
    ~Ticket() { leave(); }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    // What closes it at once from now on.
    void on_evict(std::function<void()> evict) { evict_ = std::move(evict); }

   private:
    friend class Admission;

    void leave() {
      if (entry_ == state_->waiting.end()) return;
      state_->waiting.erase(std::exchange(entry_, state_->waiting.end()));
      const auto count = state_->counts.find(from_);
      if (--count->second == 0) state_->counts.erase(count);
    }

    std::shared_ptr<State> state_;
    Address from_;
    std::function<void()> evict_;
    std::list<Ticket*>::iterator entry_;
  };

  explicit Admission(std::uint32_t most) : most_(most) {}

  // Whether somebody had to go.
  bool make_room() {
    if (state_->waiting.size() < most_) return false;
    const auto greediest =
        std::max_element(state_->counts.begin(), state_->counts.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    const auto oldest =
        std::find_if(state_->waiting.begin(), state_->waiting.end(),
                     [&](const Ticket* ticket) { return ticket->from_ == greediest->first; });
    const auto evict = (*oldest)->evict_;
    (*oldest)->leave();
    evict();
    return true;
  }
  std::unique_ptr<Ticket> admit(const Address& from, std::function<void()> evict) {
    return std::make_unique<Ticket>(state_, from, std::move(evict));
  }

 private:
  std::uint32_t most_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace slipway::connector
