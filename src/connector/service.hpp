#pragma once

#include "connector/btp_dialer.hpp"
#include "connector/config.hpp"
#include "connector/departure.hpp"
#include "connector/health_server.hpp"
#include "connector/hub.hpp"
#include "connector/ilp_http_client.hpp"
#include "connector/listener.hpp"
#include "connector/log.hpp"

#include <chrono>
#include <memory>
#include <stop_token>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace slipway::connector {

// The connector as a process: its two ports, its peers and its role.
//
//   standby --SIGUSR2--> active --SIGUSR1--> draining --(all answered)--> drained --SIGUSR2-->
//   active
//
// A standby accepts peers but dials none. Draining: not ready at once, no new connection, packets
// go on being served while peers are sent away one after the other (Departure), until none is in
// flight or the drain timeout is over; every socket gets Close 1001. A stop request drains and ends
// run().
class Service {
 public:
  explicit Service(const Config& config);

  // Listens and prints the `listening` line on stdout. An error names the address.
  Result<void> start();
  // Serves until `stop` is requested and the drain is over.
  // Whether everything was answered and is in the ledger.
  bool run(std::stop_token stop);

  std::uint16_t btp_port() const { return listener_.port(); }
  std::uint16_t http_port() const { return health_.port(); }

 private:
  enum class Role { active, standby, draining, drained };

  void wait_for_signals();
  void promote();
  void become_active();
  void drain(bool then_exit);
  void refuse_new_packets();
  void abandon();
  void abandon_fulfills();
  bool packets_arriving() const;
  bool requests_may_come();
  void close_connections();
  void finish_drain();
  void become(Role role);
  // Of handlers of a drain: one that had been queued when the process was promoted must do nothing.
  bool drains() const { return !promoting_ && (role_ == Role::draining || role_ == Role::drained); }
  HttpAnswer answer(std::string_view path) const;
  HttpAnswer health(bool passing) const;
  bool ready() const {
    return (role_ == Role::active || role_ == Role::standby) && hub_.books.failure().empty();
  }

  const Config& config_;
  Log log_;
  boost::asio::io_context io_{1};
  Hub hub_;
  Listener listener_;
  HealthServer health_;
  Departure departure_;
  std::vector<std::unique_ptr<BtpDialer>> dialers_;
  std::vector<std::unique_ptr<IlpHttpClient>> http_peers_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer drain_deadline_;
  boost::asio::steady_timer last_requests_;
  std::chrono::steady_clock::time_point drain_began_;
  Role role_ = Role::standby;
  bool promoting_ = false;   // active as soon as it has its share of the limits
  bool takes_over_ = false;  // from another instance: it was told to become active
  bool exit_when_drained_ = false;
  bool abandoned_ = false;  // Fulfills that could not be made durable
  // Of what waited for another request over HTTP, since the drain began.
  std::size_t idle_closed_ = 0;
  int postponed_ = 0;  // how often the end of the drain was, for packets that had just arrived
  std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
};

}  // namespace slipway::connector
