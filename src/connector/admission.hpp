#pragma once

#include "connector/config.hpp"

#include <functional>
#include <list>
#include <memory>

namespace slipway::connector {

// How many strangers may be connected at once. A connection holds a ticket while it has not shown
// whose it is; when there are too many, the one that has waited longest is closed for the newest,
// so that idle connections cannot keep an account out.
class Admission {
  struct Waiting {
    std::function<void()> evict;
  };
  using List = std::list<Waiting>;

 public:
  class Ticket {
   public:
    Ticket(std::shared_ptr<List> list, std::function<void()> evict)
        : list_(std::move(list)), entry_(list_->insert(list_->end(), {std::move(evict)})) {}
    ~Ticket() { list_->erase(entry_); }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    // What closes it from now on.
    void on_evict(std::function<void()> evict) { entry_->evict = std::move(evict); }

   private:
    std::shared_ptr<List> list_;
    List::iterator entry_;
  };

  explicit Admission(std::uint32_t most) : most_(most) {}

  // Whether somebody had to go.
  bool make_room() {
    if (waiting_->size() < most_) return false;
    const auto evict = waiting_->front().evict;
    // Its ticket goes when its coroutine ends, which is later: to the back, so that the next
    // newcomer evicts another.
    waiting_->splice(waiting_->end(), *waiting_, waiting_->begin());
    evict();
    return true;
  }
  std::unique_ptr<Ticket> admit(std::function<void()> evict) {
    return std::make_unique<Ticket>(waiting_, std::move(evict));
  }

 private:
  std::uint32_t most_;
  std::shared_ptr<List> waiting_ = std::make_shared<List>();
};

}  // namespace slipway::connector
