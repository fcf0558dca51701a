#include "packet_bench/target/poller.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/epoll.h>

namespace slipway::bench {
namespace {

void control(int epoll, int operation, int fd, std::uint32_t events, EventSink* sink) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = sink;
  if (::epoll_ctl(epoll, operation, fd, &event) != 0) {
    throw_exception_from_error(io_error("cannot watch", "a socket", errno), BOOST_CURRENT_LOCATION);
  }
}

}  // namespace

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

void Poller::add(int fd, std::uint32_t epoll_events, EventSink& sink) {
  control(epoll_.get(), EPOLL_CTL_ADD, fd, epoll_events, &sink);
}

void Poller::modify(int fd, std::uint32_t epoll_events, EventSink& sink) {
  control(epoll_.get(), EPOLL_CTL_MOD, fd, epoll_events, &sink);
}

void Poller::remove(int fd) {
  control(epoll_.get(), EPOLL_CTL_DEL, fd, 0, nullptr);
}

int Poller::wait(std::chrono::nanoseconds timeout) {
  std::array<epoll_event, 64> events;
  const auto bounded = std::max(timeout, std::chrono::nanoseconds(0)).count();
  const timespec wait_for{bounded / 1'000'000'000, bounded % 1'000'000'000};
  const int count = ::epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   &wait_for, nullptr);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    static_cast<EventSink*>(event.data.ptr)->on_events(event.events);
  }
  return std::max(count, 0);
}

}  // namespace slipway::bench
