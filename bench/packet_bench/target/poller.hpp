#pragma once

#include "base/unique_fd.hpp"

#include <chrono>
#include <cstdint>

namespace slipway::bench {

class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void on_events(std::uint32_t epoll_events) = 0;
};

// A thread's epoll instance, with waits of nanosecond precision. A sink must stay where it is and
// be removed before it goes.
class Poller {
 public:
  Poller();

  void add(int fd, std::uint32_t epoll_events, EventSink& sink);
  void modify(int fd, std::uint32_t epoll_events, EventSink& sink);
  void remove(int fd);

  // Waits for events up to `timeout` (zero or less: polls) and hands them to their sinks; returns
  // how many there were.
  int wait(std::chrono::nanoseconds timeout);

 private:
  UniqueFd epoll_;
};

}  // namespace slipway::bench
