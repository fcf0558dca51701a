#pragma once

#include "connector/config.hpp"
#include "connector/forwarder.hpp"
#include "connector/histogram.hpp"
#include "connector/log.hpp"
#include "ledger/worker.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace slipway::connector {

// Keeps the forwarder's balances in the ledger: hands what has changed to the ledger's thread,
// tells the forwarder what is durable, and shares the accounts' limits with other connectors of the
// same ledger. While it cannot, the forwarder refuses Prepares with T00 and nothing is lost: what
// has changed meanwhile is written when it works again. Runs on the I/O loop and never waits there,
// except in start() and close().
class Bookkeeper {
 public:
  // What it did, for /metrics.
  struct Figures {
    DurationHistogram batches;  // from handing over to durable
    std::uint64_t failures = 0;
    int instances = 0;  // others that use the ledger
  };

  // `progressed` is called after Fulfills have been let go. Without a `database` nothing is kept.
  Bookkeeper(boost::asio::io_context& io, const Config& config, Forwarder& forwarder, Log& log,
             std::function<void()> progressed, std::unique_ptr<ledger::Database> database);
  ~Bookkeeper();

  // Begins to open the ledger and waits for that at most so long. Later it is tried again and
  // again.
  void start(std::chrono::milliseconds at_most);
  // To be called after packets have been handled.
  void after_round() {
    if (worker_ && !worker_->is_busy() && forwarder_.progress().due()) schedule();
  }

  // Why balances cannot be kept now; empty: they can.
  std::string failure() const;
  bool is_kept() const { return worker_ != nullptr; }

  // Whether this process wants room of the accounts' limits, or leaves it to others.
  void want_room(bool wanted);
  // Calls `call` once there is room, or after `at_most`; the one given before is forgotten.
  void when_shared(std::chrono::milliseconds at_most, std::function<void()> call);

  // Writes what is left and leaves the ledger. Whether all is written.
  bool close(std::chrono::milliseconds at_most);

  const Figures& figures() const { return figures_; }
  std::chrono::nanoseconds lag() const;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  void schedule();
  void arm(TimePoint when);
  void begin(ledger::Worker::Job job, TimePoint now);
  void work(TimePoint now);
  ledger::Batch make_batch(TimePoint now);
  void share(ledger::Batch& batch);
  void collect();
  void hear(const ledger::Worker::Done& done, TimePoint now);
  ledger::Worker::Job last_job(bool closing) const;
  void opened(const ledger::Opened& opened);
  void written(const ledger::Written& written, TimePoint now);
  void taken_for_dead(std::int64_t last_counted, TimePoint now);
  void batch_is_durable();
  void failed(const Error& error, TimePoint now);
  void refuse(const std::string& why);
  void works();
  void take_view(const ledger::View& view);
  bool has_share() const;
  void check_shared(TimePoint now);

  boost::asio::io_context& io_;
  Forwarder& forwarder_;
  Log& log_;
  std::function<void()> progressed_;
  std::string store_;
  std::vector<ledger::AccountSpec> accounts_;
  boost::asio::steady_timer timer_;
  std::optional<TimePoint> wake_;  // when the timer ends

  TimePoint job_begun_{};
  bool opened_ = false;
  std::string failure_ = "it has not been opened yet";
  bool wants_room_ = true;
  bool share_due_ = false;   // the shares are to be looked at again
  bool must_write_ = false;  // also when no balance has changed
  bool shares_changed_ = false;
  std::vector<ledger::Others> others_;
  TimePoint next_look_{};
  TimePoint next_settlement_{};
  TimePoint next_plea_{};

  // What is durable of this instance's parts and positions, and what is under way or has failed
  // and is to be handed over again.
  std::vector<std::int64_t> durable_parts_;
  std::map<ledger::Asset, ledger::Wide> durable_positions_;
  std::optional<ledger::Batch> under_way_;
  std::int64_t batches_ = 0;  // handed over by this instance

  std::function<void()> when_shared_;
  TimePoint shared_deadline_{};
  Figures figures_;
  // Last: its thread ends first.
  std::unique_ptr<ledger::Worker> worker_;
};

// The configured ledger, not yet connected; nothing where there is to be none.
std::unique_ptr<ledger::Database> open_ledger(const Config& config);

// What the ledger is told of the configured accounts.
std::vector<ledger::AccountSpec> account_specs(const Config& config);

}  // namespace slipway::connector
