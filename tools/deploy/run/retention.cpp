#include "deploy/run/retention.hpp"

#include "deploy/run/survey.hpp"

#include <algorithm>

namespace slipway::deploy {

void let_go_of_surplus(World& world, const Ledger& ledger, const std::optional<Release>& previous) {
  auto found = survey(world);
  auto held = world.engine.held();
  if (!found || !held) return;
  const auto& proven = ledger.proven();
  for (const Release& release : *held) {
    const auto keep =
        proven.begin() + std::min<std::ptrdiff_t>(world.config.keep_releases, std::ssize(proven));
    const bool recent = std::any_of(
        proven.begin(), keep, [&](const Release& that) { return that.digest == release.digest; });
    const bool used = found->blue.digest == release.digest ||
                      found->green.digest == release.digest ||
                      (previous && previous->digest == release.digest);
    if (!recent && !used) (void)world.engine.let_go(release);
  }
}

}  // namespace slipway::deploy
