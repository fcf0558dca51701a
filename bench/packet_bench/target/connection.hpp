#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "net/tls.hpp"
#include "packet_bench/common/clock.hpp"
#include "packet_bench/target/poller.hpp"
#include "packet_bench/target/target.hpp"

#include <cstdint>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <span>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace slipway::bench {

// The addresses of a name: it is looked up once, before the load, and not on a reconnect.
struct Address {
  struct Endpoint {
    sockaddr_storage storage{};
    socklen_t size = 0;
  };
  std::vector<Endpoint> endpoints;             // in the resolver's order; at least one
  std::string host;                            // who the peer has to prove to be
  std::shared_ptr<const net::TlsContext> tls;  // nothing: in the clear
  // How much may wait to be sent before a connection to it has no room: 64 packets of the largest
  // size.
  std::size_t buffer_bytes = std::size_t{64} * 36 << 10;
  bool stamps = true;  // the kernel is to note when bytes arrive; a little for each packet
};
// `tls` is for targets that want it.
Result<Address> resolve(const Target& target, const std::shared_ptr<const net::TlsContext>& tls);

// One non-blocking TCP connection, through TLS if the address says so, with its buffers. Bytes are
// appended to out() and leave with flush(); bytes that arrived are in input() until consumed, also
// after the peer has closed. After fail() or a lost peer it is closed and can be opened again.
// out() grows to twice what has_room() lets in at most: as much again may have been sent and not
// dropped yet.
class Connection {
 public:
  enum class State { closed, connecting, shaking_hands, open };

  Connection(Poller& poller, EventSink& sink) : poller_(poller), sink_(sink) {}
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Tries its endpoints in turn, from the last one that worked on; `address` must live as long as
  // the connection.
  void open(const Address& address);
  // To be called while it is connecting: an endpoint that is silent for 250 ms is given up for the
  // next one (RFC 8305, 5, but one at a time).
  void hurry(TimePoint now);
  void close();
  State state() const { return state_; }
  // Why the connection was lost or never came about.
  const std::string& failure() const { return failure_; }
  void fail(std::string why);

  // To be called with what epoll said: finishes connecting, writes what waited, reads what came.
  void handle(std::uint32_t epoll_events);

  std::span<std::uint8_t> input() { return {input_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t bytes) { begin_ += bytes; }
  // When the newest bytes of input() arrived: by the kernel's stamp, or where it gives none, as
  // through TLS, when they were read.
  TimePoint arrived() const { return arrived_; }
  bool stamps_arrivals() const { return stamped_; }
  // How long it took, once it is open; from the first endpoint that was tried.
  std::chrono::nanoseconds connect_took() const { return connect_took_; }
  std::optional<std::chrono::nanoseconds> handshake_took() const { return handshake_took_; }

  std::vector<std::uint8_t>& out() { return out_; }
  std::size_t waiting_bytes() const { return out_.size() - written_; }
  bool has_room() const { return waiting_bytes() < address_->buffer_bytes; }
  void flush();

 private:
  void begin_connecting();
  void connect_next(const std::string& why);
  void finish_connecting();
  void shake_hands();
  void become_open();
  void grow_input(std::size_t size);
  void make_room();
  void read_some();
  void note_arrival(msghdr& message);
  void read_records();
  // How many bytes the peer took, or nothing when it takes no more now or is lost.
  std::optional<std::size_t> write_some(std::span<const std::uint8_t> bytes);
  void drop_written();
  void watch(bool for_writing);

  Poller& poller_;
  EventSink& sink_;
  UniqueFd fd_;
  std::unique_ptr<net::TlsSession> tls_;
  const Address* address_ = nullptr;
  std::size_t endpoint_ = 0;  // of the address
  std::size_t tried_ = 0;
  TimePoint began_{};
  TimePoint opened_{};
  std::chrono::nanoseconds connect_took_{0};
  std::optional<std::chrono::nanoseconds> handshake_took_;
  State state_ = State::closed;
  bool watching_writes_ = false;
  std::string failure_;
  std::unique_ptr<std::uint8_t[]> input_;
  std::size_t input_size_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  TimePoint arrived_{};
  bool stamped_ = false;
  std::vector<std::uint8_t> out_;
  std::size_t written_ = 0;
};

}  // namespace slipway::bench
