#include "deploy/run/retention.hpp"

#include "deploy/run/survey.hpp"

#include <algorithm>

namespace slipway::deploy {

void release_surplus(Ports& ports, const Ledger& ledger, const std::optional<Release>& previous) {
  auto found = survey(ports);
  auto retained = ports.engine.retained();
  if (!found || !retained) return;
  const auto& proven = ledger.proven();
  for (const Release& release : *retained) {
    const auto keep =
        proven.begin() + std::min<std::ptrdiff_t>(ports.config.keep_releases, std::ssize(proven));
    const bool recent = std::any_of(
        proven.begin(), keep, [&](const Release& that) { return that.digest == release.digest; });
    const bool used = found->blue.digest == release.digest ||
                      found->green.digest == release.digest ||
                      (previous && previous->digest == release.digest);
    if (!recent && !used) (void)ports.engine.release(release);
  }
}

}  // namespace slipway::deploy
