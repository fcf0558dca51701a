#include "deploy/cli/lock_taking.hpp"

#include "base/units.hpp"
#include "deploy/ports/clock.hpp"

namespace slipway::deploy {

Result<std::unique_ptr<Lock>> take_lock(Store& store, const Options& options,
                                        const LockOwner& owner, std::stop_token stop) {
  SystemClock clock;
  const auto give_up =
      clock.now() + options.timeout.value_or(std::chrono::nanoseconds(std::chrono::minutes(10)));
  for (;;) {
    auto lock = store.acquire_lock(owner);
    const bool again = !lock && lock.error().kind == ErrorKind::busy && options.wait &&
                       clock.now() < give_up && !stop.stop_requested();
    if (!again) return lock;
    clock.sleep_for(std::chrono::milliseconds(200), stop);
  }
}

Result<void> note_broken_lock(Store& store, const LockOwner& ended, const std::string& actor,
                              const std::string& reason) {
  auto journal = store.open_journal();
  if (!journal) return {};  // the run that follows deals with a damaged journal
  return (*journal)->append("", format_utc(std::chrono::system_clock::now()),
                            Noted{"lock broken", actor, reason, ended.describe()});
}

}  // namespace slipway::deploy
