#include "deploy/kubernetes/lease.hpp"

#include "base/durable_file.hpp"
#include "base/foreign_text.hpp"
#include "base/json.hpp"
#include "base/units.hpp"

#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <thread>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// MicroTime: RFC 3339 with six digits.
std::string micro_time(std::chrono::system_clock::time_point time) {
  std::string text = format_utc(time);
  if (text.ends_with('Z')) text.insert(text.size() - 1, "000");
  return text;
}

std::string first_line(const char* file) {
  const auto text = read_file(file, 4096);
  return text ? text->substr(0, text->find('\n')) : std::string();
}

// When the process began, in ticks since the machine did: field 22 of proc(5)'s stat.
std::optional<std::string> start_of(pid_t pid) {
  const auto stat = read_file(fmt::format("/proc/{}/stat", pid), 4096);
  if (!stat) return std::nullopt;
  // The second field is a name in brackets, which may have anything in it.
  std::size_t at = stat->rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat->find(' ', at + 1);
  if (at == std::string::npos) return std::nullopt;
  return stat->substr(at + 1, stat->find(' ', at + 1) - at - 1);
}

// Whose process IDs are ours: two containers on one machine may have its name and its boot, and
// see other processes.
std::string this_machine() {
  std::error_code failed;
  const auto process_ids = std::filesystem::read_symlink("/proc/self/ns/pid", failed);
  return fmt::format("{}/{}/{}", first_line("/proc/sys/kernel/hostname"),
                     first_line("/proc/sys/kernel/random/boot_id"), process_ids.string());
}

// The process ID where the process is or was one of this machine.
std::optional<pid_t> pid_on_this_machine(const std::string& process) {
  const std::string machine = this_machine() + "/";
  if (!process.starts_with(machine)) return std::nullopt;
  return static_cast<pid_t>(std::atol(process.c_str() + machine.size()));
}

Error held_by(const LeaseState& lease) {
  return {ErrorKind::busy,
          fmt::format("another operation holds the lock: {}, on {}",
                      foreign_line(lease.owner.describe(), 300),
                      foreign_line(lease.holder.substr(0, lease.holder.find('/')), 100)),
          "follow it with 'rollback --status', or queue with --wait"};
}

Result<LeaseState> read_state(ClusterApi& api, const Names& names) {
  auto answer = api.call("GET", names.path("leases", names.lease()));
  if (!answer) return answer.error();
  if (answer->status == 404) return LeaseState{};
  if (!answer->ok()) {
    return Error{ErrorKind::failed, "cannot read the lock: " + answer->message(), {}};
  }
  return read_lease(answer->json);
}

// Writes it unless somebody else did since `version`; the new version. An answer that was lost is
// found out by reading again.
Result<std::string> put(ClusterApi& api, const Names& names, const std::string& holder,
                        const LockOwner& owner, const std::string& version) {
  const std::string body =
      write_lease(names.lease(), holder, owner, std::chrono::system_clock::now(), version);
  auto written = version.empty() ? api.demand("take the lock", "POST", names.path("leases"), body)
                                 : api.demand("take the lock", "PUT",
                                              names.path("leases", names.lease()), body);
  if (written) return written->at({"metadata", "resourceVersion"}).text();
  if (written.error().kind != ErrorKind::busy) return written.error();
  auto now = read_state(api, names);
  if (!now) return now.error();
  if (now->holder == holder && !holder.empty()) return now->version;
  return held_by(*now);
}

// Gives what `from` holds to `to`, or to nobody, however often `from` renews it meanwhile; the new
// state.
Result<LeaseState> hand_over(ClusterApi& api, const Names& names, const std::string& from,
                             const std::string& to) {
  for (int attempt = 1;; ++attempt) {
    auto lease = read_state(api, names);
    if (!lease) return lease.error();
    if (lease->holder == to) return lease;  // written before, and the answer was lost
    if (lease->holder != from) return held_by(*lease);
    auto version = put(api, names, to, lease->owner, lease->version);
    if (!version && version.error().kind == ErrorKind::busy && attempt < 10) continue;
    if (!version) return version.error();
    lease->holder = to;
    lease->version = *version;
    return lease;
  }
}

// That it has run out says this machine's clock, which may be ahead of the holder's: whoever lives
// renews it. Errors: busy.
Result<void> see_that_nobody_renews(ClusterApi& api, const Names& names, const LeaseState& lease) {
  if (lease.holder.empty() || is_dead_here(lease.holder)) return {};
  std::this_thread::sleep_for(2 * lease_renewal);
  const auto now = read_state(api, names);
  if (!now) return now.error();
  return now->version == lease.version ? Result<void>{} : held_by(*now);
}

}  // namespace

LeaseState read_lease(const JsonValue& lease) {
  LeaseState state;
  state.holder = lease.at({"spec", "holderIdentity"}).text();
  state.renewed = parse_utc(lease.at({"spec", "renewTime"}).text());
  state.duration = std::chrono::seconds(lease.at({"spec", "leaseDurationSeconds"}).integer());
  state.version = lease.at({"metadata", "resourceVersion"}).text();
  const auto owner = parse_lock_owner(lease.at({"metadata", "annotations", mark("owner")}).text());
  if (owner) state.owner = *owner;
  return state;
}

bool is_held(const LeaseState& lease, std::chrono::system_clock::time_point now, bool is_dead) {
  return !lease.holder.empty() && !is_dead && lease.renewed &&
         now < *lease.renewed + lease.duration;
}

std::string write_lease(const std::string& name, const std::string& holder, const LockOwner& owner,
                        std::chrono::system_clock::time_point now, const std::string& version) {
  Json lease{{"apiVersion", "coordination.k8s.io/v1"},
             {"kind", "Lease"},
             {"metadata",
              {{"name", name},
               {"labels", {{label_manager, manager}}},
               {"annotations", {{mark("owner"), owner.to_json_text()}}}}},
             {"spec",
              {{"holderIdentity", holder},
               {"leaseDurationSeconds", lease_duration.count()},
               {"renewTime", micro_time(now)}}}};
  if (!version.empty()) lease["metadata"]["resourceVersion"] = version;
  return to_text(lease);
}

std::optional<std::string> machine_process(pid_t pid) {
  const auto start = start_of(pid);
  if (!start) return std::nullopt;
  return fmt::format("{}/{}/{}", this_machine(), pid, *start);
}

bool is_dead_here(const std::string& process) {
  const auto pid = pid_on_this_machine(process);
  return pid && machine_process(*pid) != process;
}

pid_t pid_here(const std::string& process) {
  const auto pid = pid_on_this_machine(process);
  return pid && machine_process(*pid) == process ? *pid : 0;
}

// What is written again and again, by a thread of its own.
struct Lease::Renewal {
  ClusterApi& api;
  Names names;
  std::string holder;
  LockOwner owner;
  std::string version;
  bool lost = false;
  bool handed_over = false;
  bool ends = false;
  std::mutex mutex = {};
  std::condition_variable ended = {};
  std::thread thread = {};

  // Under the mutex. Failing is not told: the journal does not let a lost operation go on.
  void write() {
    if (lost) return;
    auto written = put(api, names, holder, owner, version);
    if (written) version = *written;
    if (!written && written.error().kind == ErrorKind::busy) lost = true;
  }

  void run() {
    std::unique_lock hold(mutex);
    while (!ended.wait_for(hold, lease_renewal, [this] { return ends; })) write();
  }
};

Lease::Lease(std::unique_ptr<Renewal> renewal) : renewal_(std::move(renewal)) {
  renewal_->thread = std::thread([state = renewal_.get()] { state->run(); });
}

Lease::~Lease() {
  {
    const std::lock_guard hold(renewal_->mutex);
    renewal_->ends = true;
  }
  renewal_->ended.notify_all();
  renewal_->thread.join();
  if (renewal_->handed_over) return;
  renewal_->holder.clear();
  renewal_->write();
}

Result<std::unique_ptr<Lock>> Lease::acquire(ClusterApi& api, const LockOwner& owner) {
  const auto names = api.names();
  if (!names) return names.error();
  const auto lease = read_state(api, *names);
  if (!lease) return lease.error();
  if (is_held(*lease, std::chrono::system_clock::now(), is_dead_here(lease->holder))) {
    return held_by(*lease);
  }
  if (auto silent = see_that_nobody_renews(api, *names, *lease); !silent) return silent.error();
  const std::string self = machine_process(::getpid()).value_or("unknown");
  auto version = put(api, *names, self, owner, lease->version);
  if (!version) return version.error();
  return std::unique_ptr<Lock>(new Lease(
      std::unique_ptr<Renewal>(new Renewal{api, *names, self, owner, std::move(*version)})));
}

Result<std::unique_ptr<Lock>> Lease::adopt(ClusterApi& api, const std::string& holder) {
  const auto names = api.names();
  if (!names) return names.error();
  const std::string self = machine_process(::getpid()).value_or("unknown");
  const auto lease = hand_over(api, *names, holder, self);
  if (!lease) return lease.error();
  return std::unique_ptr<Lock>(new Lease(
      std::unique_ptr<Renewal>(new Renewal{api, *names, self, lease->owner, lease->version})));
}

std::optional<LockOwner> Lease::holder(ClusterApi& api) {
  const auto names = api.names();
  if (!names) return std::nullopt;
  const auto lease = read_state(api, *names);
  if (!lease || !is_held(*lease, std::chrono::system_clock::now(), is_dead_here(lease->holder))) {
    return std::nullopt;
  }
  return lease->owner;
}

Result<std::optional<LockOwner>> Lease::end_holder(ClusterApi& api) {
  const auto names = api.names();
  if (!names) return names.error();
  const auto lease = read_state(api, *names);
  if (!lease) return lease.error();
  if (!is_held(*lease, std::chrono::system_clock::now(), is_dead_here(lease->holder))) {
    return std::optional<LockOwner>{};
  }
  if (const pid_t pid = pid_here(lease->holder); pid > 0) ::kill(pid, SIGKILL);
  if (auto freed = hand_over(api, *names, lease->holder, ""); !freed) return freed.error();
  return std::optional(lease->owner);
}

void Lease::note_step(const std::string& step) {
  const std::lock_guard hold(renewal_->mutex);
  renewal_->owner.step = step;
  renewal_->write();
}

void Lease::note_owner(const LockOwner& owner) {
  const std::lock_guard hold(renewal_->mutex);
  renewal_->owner = owner;
  renewal_->write();
}

std::string Lease::handle() const {
  const std::lock_guard hold(renewal_->mutex);
  renewal_->handed_over = true;
  return renewal_->holder;
}

}  // namespace slipway::deploy
