#pragma once

#include "connector/bookkeeper.hpp"
#include "connector/config.hpp"
#include "connector/forwarder.hpp"
#include "connector/link.hpp"
#include "connector/log.hpp"
#include "connector/token_table.hpp"
#include "connector/trace_exporter.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace slipway::connector {

class BtpConnection;

// What all links share: the forwarder, the clock that expires packets, the writes that wait for the
// end of the round, and who is connected. One thread: everything here runs on `io`.
class Hub {
 public:
  Hub(boost::asio::io_context& io, const Config& config, Log& log);

  boost::asio::io_context& io;
  const Config& config;
  Log& log;
  LinkTable links;
  Forwarder forwarder;
  Bookkeeper books;
  TraceExporter traces;
  TokenTable tokens;
  // Frames and requests that were not answered or that ended a connection, by reason.
  std::map<std::string, std::uint64_t, std::less<>> refusals;

  // Writes what `connection` has buffered once all reads that are ready now have been handled: many
  // packets, one system call.
  void flush_later(std::shared_ptr<BtpConnection> connection);
  // Called before each such writing; who closes a connection then has Close leave in one write with
  // the last answers, and a peer that sends when it is answered sends nothing into the closing.
  void before_flush(std::function<void()> call) { before_flush_ = std::move(call); }
  // How many messages have been read since the last call.
  std::uint64_t take_messages() { return std::exchange(messages_, 0); }
  void count_message() { ++messages_; }
  // To be called after packets have been handled, by whoever read them.
  void round_done();
  // Called (once) when nothing is in flight, soon after that becomes true.
  void when_idle(std::function<void()> call);

  void add(const std::shared_ptr<BtpConnection>& connection);
  void remove(const std::shared_ptr<BtpConnection>& connection);
  const std::set<std::shared_ptr<BtpConnection>>& connections() const { return connections_; }

  // The key for the next frame that a client sends (RFC 6455 5.3 wants it unpredictable, so that a
  // page's script cannot choose what appears on the wire; there are no scripts here).
  std::uint32_t next_mask();

  void count_refusal(std::string_view reason);

 private:
  void flush_all();
  void arm_expiry();
  void arm_sweep();

  boost::asio::steady_timer expiry_;
  bool expiry_armed_ = false;
  boost::asio::steady_timer sweep_;
  std::vector<std::shared_ptr<BtpConnection>> to_flush_;
  std::vector<std::shared_ptr<BtpConnection>> flushing_;
  std::set<std::shared_ptr<BtpConnection>> connections_;
  std::function<void()> when_idle_;
  std::function<void()> before_flush_;
  std::uint64_t mask_state_;
  std::uint64_t messages_ = 0;
};

}  // namespace slipway::connector
