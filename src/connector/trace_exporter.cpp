#include "connector/trace_exporter.hpp"

#include "base/build_info.hpp"
#include "base/random.hpp"
#include "connector/reject_code.hpp"

#include <algorithm>
#include <random>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace slipway::connector {

namespace asio = boost::asio;

namespace {

constexpr auto period = std::chrono::seconds(1);
constexpr std::size_t trace_bytes = 16;
// What waits while the collector is slow, in packets.
constexpr std::size_t most_waiting = 4 * PacketSample::most;

std::chrono::system_clock::duration wall_ahead_of_steady() {
  return std::chrono::system_clock::now().time_since_epoch() -
         std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace

net::OtlpTraces otlp_traces(const Config& config, const std::vector<PacketTrace>& packets,
                            std::chrono::system_clock::duration wall_ahead) {
  net::OtlpTraces traces{.resource = {{"service.name", "connector"},
                                      {"service.version", std::string(build_info().version)},
                                      {"ilp.address", config.address}},
                         .scope = "slipway.connector",
                         .spans = {}};
  const auto wall = [&](std::chrono::steady_clock::time_point time) {
    return std::chrono::system_clock::time_point(time.time_since_epoch() + wall_ahead);
  };
  std::mt19937_64 ids(random_seed());
  for (const PacketTrace& packet : packets) {
    const bool fulfilled = packet.outcome == fulfilled_outcome;
    const std::string code(outcomes.at(packet.outcome));
    net::OtlpSpan span{.trace_id = fmt::format(
                           "{:02x}", fmt::join(std::span(packet.condition).first(trace_bytes), "")),
                       .span_id = fmt::format("{:016x}", std::max<std::uint64_t>(1, ids())),
                       .parent = {},
                       .name = "packet",
                       .start = wall(packet.began),
                       .end = wall(packet.ended),
                       .attributes = {{"ilp.from", config.accounts[packet.from].id},
                                      {"ilp.result", fulfilled ? "fulfilled" : "rejected"}},
                       .is_good = fulfilled,
                       .message = code};
    if (packet.to) span.attributes.push_back({"ilp.to", config.accounts[*packet.to].id});
    if (!fulfilled) span.attributes.push_back({"ilp.code", code});
    traces.spans.push_back(std::move(span));
  }
  return traces;
}

TraceExporter::TraceExporter(asio::io_context& io, const Config& config, Forwarder& forwarder,
                             Log& log)
    : config_(config), forwarder_(forwarder), log_(log), timer_(io) {}

void TraceExporter::start() {
  if (!is_on()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  arm();
}

void TraceExporter::arm() {
  timer_.expires_after(period);
  timer_.async_wait([this](boost::system::error_code failed) {
    if (failed) return;
    hand_over();
    tell_failure();
    arm();
  });
}

void TraceExporter::hand_over() {
  const std::vector<PacketTrace> taken = forwarder_.sample().take();
  const std::lock_guard lock(mutex_);
  const std::size_t fit = std::min(taken.size(), most_waiting - waiting_.size());
  waiting_.insert(waiting_.end(), taken.begin(), taken.begin() + static_cast<std::ptrdiff_t>(fit));
  lost_ += taken.size() - fit;
  changed_.notify_all();
}

void TraceExporter::tell_failure() {
  std::string failure;
  {
    const std::lock_guard lock(mutex_);
    failure = std::exchange(failure_, {});
  }
  if (failure.empty()) return;
  log_.write_limited(LogLevel::warn, "traces_not_sent", "", {{"reason", failure}});
}

void TraceExporter::close(std::chrono::milliseconds at_most) {
  if (!thread_.joinable()) return;
  hand_over();
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [this] { return waiting_.empty() && idle_; });
  }
  thread_.request_stop();
  thread_.join();
  tell_failure();
}

void TraceExporter::run(const std::stop_token& stop) {
  auto request = net::otlp_request(config_.traces.url);
  for (;;) {
    std::vector<PacketTrace> packets;
    {
      std::unique_lock lock(mutex_);
      idle_ = true;
      changed_.notify_all();
      if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      packets = std::exchange(waiting_, {});
      idle_ = false;
    }
    Result<void> posted;
    if (request) {
      request->body = net::otlp_json(otlp_traces(config_, packets, wall_ahead_of_steady()));
      posted = net::post_otlp(*request, stop);
    } else {
      posted = request.error();
    }
    (posted ? sent_ : lost_) += packets.size();
    if (posted) continue;
    const std::lock_guard lock(mutex_);
    failure_ = posted.error().text();
  }
}

}  // namespace slipway::connector
