#include "deploy/run/clearance.hpp"

#include "base/foreign_text.hpp"
#include "base/process.hpp"
#include "deploy/run/survey.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// A warm colour needs no room: the journal has its own reserved, and going back must not fail for
// lack of it.
Result<void> check_space(Ports& ports, const Plan& plan) {
  if (plan.warm) return {};
  const std::uint64_t needed = ports.config.minimum_free_mb << 20;
  const auto rooms = ports.engine.room();
  if (!rooms) return rooms.error();
  for (const Room& room : *rooms) {
    if (room.free_bytes >= needed) continue;
    return Error{ErrorKind::failed,
                 fmt::format("{} has {} MB free and {} MB are needed", room.place,
                             room.free_bytes >> 20, needed >> 20),
                 room.remedy};
  }
  return {};
}

// Whatever served since the target last did may have changed the data for good, also where another
// rollback left it behind meanwhile.
Result<void> check_way_back(const Plan& plan, const Ledger& ledger) {
  if (!plan.rollback) return {};
  std::vector<Release> since;
  if (plan.old) since.push_back(*plan.old);
  for (const Release& release : ledger.proven()) {  // the one that served last first
    if (release.same_as(plan.target)) break;
    since.push_back(release);
  }
  for (const Release& release : since) {
    if (release.oldest_return.empty() || !older(plan.target.version, release.oldest_return)) {
      continue;
    }
    return Error{ErrorKind::failed,
                 fmt::format("{} cannot be rolled back further than to {}, and {} is older",
                             release.describe(), release.oldest_return, plan.target.describe()),
                 "roll back to a newer version, or give --force if its data allow it"};
  }
  return {};
}

}  // namespace

// A rollback goes to a digest that was verified when it was deployed, and needs no network.
Result<void> verify_image(const Config& config, const Plan& plan, std::stop_token stop) {
  if (config.verify_command.empty() || plan.rollback) return {};
  Command command{.argv = config.verify_command, .deadline = config.step_deadline};
  const std::string image = plan.target.repository + "@" + plan.target.digest;
  for (std::string& word : command.argv) {
    if (const auto place = word.find("{image}"); place != std::string::npos) {
      word.replace(place, 7, image);
    }
  }
  auto verified = run_command(command, std::move(stop));
  if (verified && verified->exit_status == 0) return {};
  if (!verified && verified.error().kind == ErrorKind::cancelled) return verified.error();
  const std::string why = verified
                              ? fmt::format("{} exits {}: {}", command.argv[0],
                                            verified->exit_status, foreign_text(verified->err, 400))
                              : verified.error().text();
  return Error{ErrorKind::not_found, fmt::format("{} is not verified: {}", image, why),
               "deploy only images that this pipeline signed"};
}

Result<void> check_clearance(Ports& ports, const Plan& plan, const Ledger& ledger, bool force) {
  if (auto space = check_space(ports, plan); !space) return space;
  if (!force) {
    if (auto way_back = check_way_back(plan, ledger); !way_back) return way_back;
  }
  // While it does not run, what it will carry is still to be settled.
  return ports.traffic.running() ? check_switch(ports, plan) : Result<void>{};
}

Result<void> check_switch(Ports& ports, const Plan& plan) {
  // Of an image that a dry run did not pull nobody knows what it needs.
  const bool is_known = plan.rollback || !plan.target.snapshot.empty();
  const auto carried =
      is_known ? ports.traffic.check_routes(plan.candidate, service_of(ports, plan.target))
               : Result<void>{};
  if (!carried) return Error{ErrorKind::failed, carried.error().what, carried.error().remedy};
  // A way back is not barred by what somebody wrote meanwhile.
  return plan.rollback ? Result<void>{} : ports.traffic.check_current();
}

}  // namespace slipway::deploy
