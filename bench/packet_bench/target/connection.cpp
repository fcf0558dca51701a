#include "packet_bench/target/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <system_error>
#include <time.h>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

constexpr std::chrono::milliseconds attempt_delay{250};
// An answer of the web's is small, and connections are many; what fills its room gets more of it.
constexpr std::size_t first_input = std::size_t{2} << 10;
constexpr std::size_t least_input = std::size_t{16} << 10;
constexpr std::size_t enough_input = std::size_t{256} << 10;  // to read at once

std::string message_of(int error) {
  return std::generic_category().message(error);
}

}  // namespace

Result<Address> resolve(const Target& target, const std::shared_ptr<const net::TlsContext>& tls) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status =
      ::getaddrinfo(target.host.c_str(), std::to_string(target.port).c_str(), &hints, &found);
  if (status != 0) {
    return Error{ErrorKind::unreachable,
                 fmt::format("cannot look up {}: {}", target.host, ::gai_strerror(status)),
                 "correct the host name"};
  }
  Address address;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    Address::Endpoint& endpoint = address.endpoints.emplace_back();
    std::memcpy(&endpoint.storage, each->ai_addr, each->ai_addrlen);
    endpoint.size = each->ai_addrlen;
  }
  address.host = target.host;
  if (target.tls) address.tls = tls;
  ::freeaddrinfo(found);
  return address;
}

void Connection::open(const Address& address) {
  close();
  address_ = &address;
  failure_.clear();
  begin_ = end_ = 0;
  tried_ = 0;
  opened_ = Clock::now();
  handshake_took_.reset();
  begin_connecting();
}

void Connection::begin_connecting() {
  const Address::Endpoint& endpoint = address_->endpoints[endpoint_ % address_->endpoints.size()];
  ++tried_;
  began_ = Clock::now();
  fd_.reset(::socket(endpoint.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_) return connect_next(message_of(errno));
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (address_->stamps) ::setsockopt(fd_.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  state_ = State::connecting;
  watching_writes_ = true;
  poller_.add(fd_.get(), EPOLLIN | EPOLLRDHUP | EPOLLOUT, sink_);
  const auto* generic = reinterpret_cast<const sockaddr*>(&endpoint.storage);
  if (::connect(fd_.get(), generic, endpoint.size) != 0 && errno != EINPROGRESS) {
    connect_next(message_of(errno));
  }
}

void Connection::connect_next(const std::string& why) {
  const std::size_t all = address_->endpoints.size();
  if (tried_ >= all) {
    return fail(all > 1 ? fmt::format("{} at the last of its {} addresses", why, all) : why);
  }
  close();
  ++endpoint_;
  begin_connecting();
}

void Connection::hurry(TimePoint now) {
  if (state_ != State::connecting || tried_ >= address_->endpoints.size()) return;
  if (now - began_ > attempt_delay) connect_next("no answer");
}

void Connection::close() {
  if (tls_ && state_ == State::open) tls_->say_goodbye();
  tls_.reset();
  if (fd_) {
    poller_.remove(fd_.get());
    fd_.reset();
  }
  state_ = State::closed;
  out_.clear();
  written_ = 0;
}

void Connection::fail(std::string why) {
  close();
  failure_ = std::move(why);
}

void Connection::handle(std::uint32_t epoll_events) {
  if (state_ == State::connecting && (epoll_events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
    finish_connecting();
  }
  if (state_ == State::shaking_hands) shake_hands();
  if (state_ != State::open) return;
  if ((epoll_events & EPOLLOUT) != 0) flush();
  if (state_ != State::open) return;
  if ((epoll_events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) read_some();
  // An end that came with the last bytes is seen with them: what was sent after it would be lost.
  while (state_ == State::open && !tls_ && (epoll_events & EPOLLRDHUP) != 0) read_some();
}

void Connection::finish_connecting() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return connect_next(message_of(error));
  connect_took_ = Clock::now() - opened_;
  if (!address_->tls) return become_open();
  tls_ = address_->tls->session(address_->host, fd_.get());
  state_ = State::shaking_hands;
}

void Connection::shake_hands() {
  switch (tls_->handshake()) {
    case net::TlsStep::done:
      return become_open();
    case net::TlsStep::wants_read:
      return watch(false);
    case net::TlsStep::wants_write:
      return watch(true);
    case net::TlsStep::closed:
      return fail("closed by the other side during the TLS handshake");
    case net::TlsStep::failed:
      return fail(tls_->failure());
  }
}

void Connection::become_open() {
  state_ = State::open;
  if (tls_) handshake_took_ = Clock::now() - opened_ - connect_took_;
  if (!input_) grow_input(first_input);
  flush();
}

void Connection::grow_input(std::size_t size) {
  auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(size);
  if (end_ > 0) std::memcpy(larger.get(), input_.get(), end_);
  input_ = std::move(larger);
  input_size_ = size;
}

void Connection::make_room() {
  const bool was_filled = end_ == input_size_;
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (was_filled) {
    std::memmove(input_.get(), input_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (!was_filled) return;
  // A message that is larger than the buffer: grow for it, up to what a frame may hold.
  const bool is_full = end_ == input_size_;
  const std::size_t enough = std::clamp(address_->buffer_bytes, least_input, enough_input);
  if (is_full || input_size_ < enough) grow_input(2 * input_size_);
}

void Connection::read_some() {
  if (tls_) return read_records();
  make_room();
  iovec room{input_.get() + end_, input_size_ - end_};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec))> stamp;
  msghdr message{};
  message.msg_iov = &room;
  message.msg_iovlen = 1;
  message.msg_control = stamp.data();
  message.msg_controllen = stamp.size();
  const ssize_t got = ::recvmsg(fd_.get(), &message, 0);
  if (got > 0) {
    end_ += static_cast<std::size_t>(got);
    note_arrival(message);
  } else if (got == 0) {
    fail("closed by the other side");
  } else if (errno != EAGAIN && errno != EINTR) {
    fail(message_of(errno));
  }
}

// The stamp is the wall clock's; its age is what counts here.
void Connection::note_arrival(msghdr& message) {
  arrived_ = Clock::now();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  stamped_ =
      header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPNS;
  if (!stamped_) return;
  timespec at;
  timespec wall;
  std::memcpy(&at, CMSG_DATA(header), sizeof at);
  ::clock_gettime(CLOCK_REALTIME, &wall);
  const std::chrono::nanoseconds age = std::chrono::seconds(wall.tv_sec - at.tv_sec) +
                                       std::chrono::nanoseconds(wall.tv_nsec - at.tv_nsec);
  // A clock that was set meanwhile makes no answer come from the future.
  arrived_ -= std::max(age, std::chrono::nanoseconds(0));
}

// What TLS has decrypted and not handed over, no event tells of: so until nothing is left in it.
void Connection::read_records() {
  do {
    make_room();
    std::size_t got = 0;
    switch (tls_->read(std::span(input_.get() + end_, input_size_ - end_), got)) {
      case net::TlsStep::done:
        end_ += got;
        arrived_ = Clock::now();
        break;
      case net::TlsStep::wants_read:
        return;
      case net::TlsStep::wants_write:
        return watch(true);
      case net::TlsStep::closed:
        return fail("closed by the other side");
      case net::TlsStep::failed:
        return fail(tls_->failure());
    }
  } while (tls_->has_pending());
}

std::optional<std::size_t> Connection::write_some(std::span<const std::uint8_t> bytes) {
  if (tls_) {
    std::size_t put = 0;
    const net::TlsStep step = tls_->write(bytes, put);
    if (step == net::TlsStep::done) return put;
    if (step == net::TlsStep::failed) {
      fail(tls_->failure());
    } else if (step == net::TlsStep::closed) {
      fail("closed by the other side");
    }
    return std::nullopt;
  }
  for (;;) {
    const ssize_t put = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put >= 0) return static_cast<std::size_t>(put);
    if (errno == EINTR) continue;
    if (errno != EAGAIN) fail(message_of(errno));
    return std::nullopt;
  }
}

void Connection::flush() {
  if (state_ != State::open) return;
  while (written_ < out_.size()) {
    const auto put = write_some(std::span(out_).subspan(written_));
    if (!put) {
      if (state_ != State::open) return;
      drop_written();
      return watch(true);
    }
    written_ += *put;
  }
  out_.clear();
  written_ = 0;
  watch(false);
}

// A peer that never takes all must not make the buffer grow for ever.
void Connection::drop_written() {
  if (written_ < out_.size() - written_) return;
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(written_));
  written_ = 0;
}

void Connection::watch(bool for_writing) {
  if (for_writing == watching_writes_) return;
  watching_writes_ = for_writing;
  poller_.modify(fd_.get(), EPOLLIN | EPOLLRDHUP | (for_writing ? EPOLLOUT : 0u), sink_);
}

}  // namespace slipway::bench
