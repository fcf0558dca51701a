#pragma once

#include "connector/config.hpp"
#include "connector/forwarder.hpp"
#include "connector/log.hpp"
#include "connector/packet_trace.hpp"
#include "net/otlp.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace slipway::connector {

// A span a packet, under the packet's own trace. `wall_ahead`: what the wall clock is ahead of the
// steady one.
net::OtlpTraces otlp_traces(const Config& config, const std::vector<PacketTrace>& packets,
                            std::chrono::system_clock::duration wall_ahead);

// Hands the forwarder's sampled packets to a collector once a second, from a thread of its own, so
// that one that is slow or away costs its traces and nothing else. Does nothing where no collector
// is configured.
class TraceExporter {
 public:
  TraceExporter(boost::asio::io_context& io, const Config& config, Forwarder& forwarder, Log& log);

  void start();
  // Sends what is left, which may take so long.
  void close(std::chrono::milliseconds at_most);

  bool is_on() const { return !config_.traces.url.empty(); }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t lost() const { return lost_ + forwarder_.sample().lost(); }

 private:
  void arm();
  void hand_over();
  void tell_failure();
  void run(const std::stop_token& stop);

  const Config& config_;
  Forwarder& forwarder_;
  Log& log_;
  boost::asio::steady_timer timer_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<PacketTrace> waiting_;
  bool idle_ = true;
  std::string failure_;
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> lost_{0};
  std::jthread thread_;
};

}  // namespace slipway::connector
