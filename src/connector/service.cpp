#include "connector/service.hpp"

#include "base/build_info.hpp"
#include "base/units.hpp"
#include "connector/btp_connection.hpp"
#include "connector/metrics.hpp"
#include "connector/round_pacer.hpp"
#include "connector/test_burn.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <limits>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <fmt/core.h>

namespace slipway::connector {

namespace asio = boost::asio;

namespace {

// How much of the drain timeout packets are still accepted on the sockets that are open: longer
// than peers have to move (DepartureRules). Under a steady stream some instant with nothing in
// flight comes long before; when none does, new packets are refused with T03 so that one must come.
constexpr auto lame_duck_share = 2;

// A ledger takes milliseconds to open; one that cannot be opened must not keep /health from saying
// so.
constexpr auto ledger_opening = std::chrono::seconds(1);
// How long the last batch may take, and how long a process that becomes active waits for its share
// of the accounts' limits.
constexpr auto ledger_closing = std::chrono::seconds(5);
constexpr auto sharing = std::chrono::seconds(1);
constexpr auto traces_closing = std::chrono::milliseconds(500);
// How long an HTTP connection that is kept alive may still bring a request, whose answer then ends
// it: one that is closed while a request is on its way loses that.
constexpr auto last_request = std::chrono::milliseconds(100);
// How long after it took over peers may still be about to come from the instance before, which
// closes their sockets once it has answered what it accepted.
constexpr auto peers_move = std::chrono::seconds(5);

constexpr std::string_view role_names[] = {"active", "standby", "draining", "drained"};

}  // namespace

Service::Service(const Config& config)
    : config_(config),
      log_(parse_log_level(config.log_level)),
      hub_(io_, config, log_),
      listener_(hub_),
      health_(io_, [this](std::string_view path) { return answer(path); }),
      departure_(hub_),
      signals_(io_, SIGUSR1, SIGUSR2),
      drain_deadline_(io_),
      last_requests_(io_) {
  for (AccountIndex i = 0; i < config.accounts.size(); ++i) {
    if (config.accounts[i].btp) dialers_.push_back(std::make_unique<BtpDialer>(hub_, i));
    if (config.accounts[i].http) http_peers_.push_back(std::make_unique<IlpHttpClient>(hub_, i));
  }
}

Result<void> Service::start() {
  hub_.books.start(ledger_opening);
  hub_.traces.start();
  if (const auto started = health_.start(config_.http); !started) return started.error();
  if (const auto started = listener_.start(); !started) return started.error();
  wait_for_signals();
  if (config_.test_extra_cpu_percent > 0) {
    log_.write(LogLevel::warn, "test_extra_cpu",
               {{"percent", static_cast<std::int64_t>(config_.test_extra_cpu_percent)},
                {"reason", "testExtraCpuPercent is set: this connector is slow on purpose"}});
  }
  if (config_.role == StartRole::active) {
    promote();
  } else {
    become(Role::standby);
  }
  const BuildInfo build = build_info();
  fmt::print(
      R"({{"event":"listening","btpPort":{},"httpPort":{},"pid":{},"role":"{}","version":"{}","releaseId":"{}"}})"
      "\n",
      btp_port(), http_port(), ::getpid(), role_names[static_cast<int>(role_)], build.version,
      build.revision);
  std::fflush(stdout);
  return {};
}

bool Service::run(std::stop_token stop) {
  const std::stop_callback on_stop(stop, [this] { asio::post(io_, [this] { drain(true); }); });
  // Linux otherwise adds 50 us to every rest.
  ::prctl(PR_SET_TIMERSLACK, 1);
  RoundPacer pacer(config_.coalesce);
  TestBurn burn(config_.test_extra_cpu_percent);
  while (io_.run_one() > 0) {
    const std::uint64_t messages = hub_.take_messages();
    burn.after_round(messages);
    const auto rest = pacer.after_round(messages, std::chrono::steady_clock::now());
    if (rest == rest.zero()) continue;
    // First everything that is ready, above all the writes.
    io_.poll();
    std::this_thread::sleep_for(rest);
  }
  const bool kept = hub_.books.close(ledger_closing);
  hub_.traces.close(traces_closing);
  if (!kept) {
    log_.write(LogLevel::error, "ledger_not_closed",
               {{"reason", hub_.books.failure()},
                {"effect", "what was committed since the last batch is not in the ledger"}});
  }
  return kept && !abandoned_;
}

void Service::wait_for_signals() {
  signals_.async_wait([this](boost::system::error_code failed, int number) {
    if (failed) return;
    if (number == SIGUSR1) drain(false);
    if (number == SIGUSR2) {
      takes_over_ = true;
      promote();
    }
    wait_for_signals();
  });
}

void Service::become(Role role) {
  role_ = role;
  log_.write(LogLevel::info, "role",
             {{"role", role_names[static_cast<int>(role)]},
              {"inFlight", static_cast<std::int64_t>(hub_.forwarder.in_flight())}});
}

void Service::promote() {
  if (role_ == Role::active || exit_when_drained_) return;
  drain_deadline_.cancel();
  departure_.stop();
  hub_.when_idle(nullptr);
  hub_.forwarder.refuse_new(false);
  if (const auto started = listener_.start(); !started) {
    log_.write(LogLevel::error, "promote_failed", {{"reason", started.error().what}});
    return;
  }
  promoting_ = true;
  hub_.books.want_room(true);
  hub_.books.when_shared(sharing, [this] { become_active(); });
}

void Service::become_active() {
  promoting_ = false;
  become(Role::active);
  if (std::exchange(takes_over_, false)) {
    hub_.forwarder.expect_peers(std::chrono::steady_clock::now() + peers_move);
  }
  for (const auto& dialer : dialers_) dialer->start();
}

void Service::drain(bool then_exit) {
  exit_when_drained_ = exit_when_drained_ || then_exit;
  if (role_ == Role::drained && !promoting_) {
    finish_drain();
    return;
  }
  if (role_ == Role::draining && !promoting_) return;
  promoting_ = false;
  hub_.books.when_shared({}, nullptr);
  become(Role::draining);
  postponed_ = 0;
  drain_began_ = std::chrono::steady_clock::now();
  listener_.stop();
  for (const auto& dialer : dialers_) dialer->stop();
  idle_closed_ = 0;
  drain_deadline_.expires_after(config_.limits.drain_timeout / lame_duck_share);
  drain_deadline_.async_wait([this](boost::system::error_code failed) {
    if (!failed) refuse_new_packets();
  });
  // Who is stopped has no successor.
  departure_.begin(
      !then_exit, [this] { return requests_may_come(); },
      [this] { hub_.when_idle([this] { close_connections(); }); });
}

void Service::refuse_new_packets() {
  if (!drains()) return;
  hub_.forwarder.refuse_new(true);
  drain_deadline_.expires_after(config_.limits.drain_timeout -
                                config_.limits.drain_timeout / lame_duck_share);
  drain_deadline_.async_wait([this](boost::system::error_code failed) {
    if (!failed) abandon();
  });
}

void Service::abandon() {
  if (!drains()) return;
  log_.write(LogLevel::warn, "drain_timeout",
             {{"abandoned", static_cast<std::int64_t>(hub_.forwarder.in_flight())}});
  hub_.forwarder.abandon_all("T00", "the connector is being replaced", Now::read());
  // Nobody's turn is waited for any more.
  departure_.stop();
  hub_.when_idle([this] { close_connections(); });
  if (hub_.forwarder.waiting_fulfills() == 0) return;
  // They only wait for the ledger, which may be about to work again.
  drain_deadline_.expires_after(ledger_closing);
  drain_deadline_.async_wait([this](boost::system::error_code failed) {
    if (!failed) abandon_fulfills();
  });
}

void Service::abandon_fulfills() {
  const std::size_t abandoned = hub_.forwarder.abandon_fulfills();
  if (abandoned == 0) return;
  abandoned_ = true;
  log_.write(LogLevel::error, "fulfills_abandoned",
             {{"count", static_cast<std::int64_t>(abandoned)},
              {"reason", hub_.books.failure()},
              {"effect", "peers paid were owed these amounts, and their senders were not told"}});
  hub_.round_done();
}

// A packet that has arrived is one that can still be answered. But a peer that never pauses must
// not hold the drain up for ever.
bool Service::packets_arriving() const {
  constexpr int postponements = 1000;
  return postponed_ < postponements &&
         std::any_of(
             hub_.connections().begin(), hub_.connections().end(),
             [](const auto& connection) { return connection->has_unread(); });
}

// Over HTTP connections that are kept alive: for a while, and then they are closed, at the pace of
// peers. Whoever loses many at once would send on some of them before it has seen it.
bool Service::requests_may_come() {
  if (!listener_.has_idle()) return false;
  const auto since = std::chrono::steady_clock::now() - drain_began_ - last_request;
  if (since.count() >= 0) {
    const auto due = static_cast<std::size_t>(since / DepartureRules::slowest_pace) + 1;
    if (due > idle_closed_) idle_closed_ += listener_.close_idle(due - idle_closed_);
  }
  return true;
}

void Service::close_connections() {
  if (!drains()) return;
  // This runs a little after nothing was in flight, which may have changed.
  if (hub_.forwarder.in_flight() > 0 || packets_arriving()) {
    ++postponed_;
    hub_.when_idle([this] { close_connections(); });
    return;
  }
  const auto deadline = drain_began_ + config_.limits.drain_timeout;
  if (std::chrono::steady_clock::now() < deadline && requests_may_come()) {
    last_requests_.expires_after(std::chrono::milliseconds(1));
    last_requests_.async_wait([this](boost::system::error_code failed) {
      if (!failed && drains()) hub_.when_idle([this] { close_connections(); });
    });
    return;
  }
  drain_deadline_.cancel();
  for (const auto& connection : std::vector(hub_.connections().begin(), hub_.connections().end())) {
    connection->close(wire::CloseCode::going_away, "the connector is being replaced");
  }
  listener_.close_idle(std::numeric_limits<std::size_t>::max());
  finish_drain();
}

// The process stays until every peer has answered Close, or had a second or two for it.
void Service::finish_drain() {
  if (!drains()) return;
  if (!hub_.connections().empty()) {
    drain_deadline_.expires_after(std::chrono::milliseconds(20));
    drain_deadline_.async_wait([this](boost::system::error_code failed) {
      if (!failed) finish_drain();
    });
    return;
  }
  if (role_ != Role::drained) become(Role::drained);
  hub_.books.want_room(false);
  hub_.forwarder.refuse_new(false);
  if (exit_when_drained_) io_.stop();
}

HttpAnswer Service::answer(std::string_view path) const {
  if (path == "/health") return health(true);
  if (path == "/health/live") return health(true);
  if (path == "/health/ready") return health(ready());
  if (path == "/metrics") {
    return {200, "text/plain; version=0.0.4; charset=utf-8",
            render_metrics(hub_, role_names[static_cast<int>(role_)], started_)};
  }
  return {404, "text/plain", "try /health, /health/live, /health/ready or /metrics\n"};
}

// draft-inadarei-api-health-check: status pass, warn (serving, but not to be sent more) or fail.
HttpAnswer Service::health(bool passing) const {
  const BuildInfo build = build_info();
  const std::string_view status = !passing ? "fail" : ready() ? "pass" : "warn";
  const auto connected = std::count_if(
      hub_.forwarder.accounts().begin(), hub_.forwarder.accounts().end(),
      [&](const Account& account) { return hub_.links.find(account.link) != nullptr; });
  const std::string time = format_utc(std::chrono::system_clock::now());
  const std::string ledger = !hub_.books.is_kept() ? "none" : hub_.books.failure();
  std::string body = fmt::format(
      R"({{"status":"{0}","version":"{1}","releaseId":"{2}","serviceId":"m2m-connector","role":"{3}",)"
      R"("checks":{{"btp:listening":[{{"componentType":"component","status":"{4}","time":"{5}"}}],)"
      R"("ledger:writable":[{{"componentType":"datastore","status":"{8}","output":{9},"time":"{5}"}}],)"
      R"("accounts:connected":[{{"componentType":"system","observedValue":{6},"observedUnit":"accounts","status":"pass","time":"{5}"}}],)"
      R"("packets:inFlight":[{{"componentType":"system","observedValue":{7},"observedUnit":"packets","status":"pass","time":"{5}"}}]}}}})",
      status, build.version, build.revision, role_names[static_cast<int>(role_)],
      listener_.listening() ? "pass" : "fail", time, connected, hub_.forwarder.in_flight(),
      hub_.books.failure().empty() ? "pass" : "fail", json_string(ledger));
  return {passing ? 200U : 503U, "application/health+json", body + "\n"};
}

}  // namespace slipway::connector
