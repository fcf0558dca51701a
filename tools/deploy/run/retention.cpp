#include "deploy/run/retention.hpp"

#include "deploy/run/survey.hpp"

#include <algorithm>

namespace slipway::deploy {

void release_surplus(Ports& ports, const Ledger& ledger, const std::optional<Release>& previous) {
  auto found = survey(ports);
  auto retained = ports.engine.retained();
  if (!found || !retained) return;
  std::vector<Release> wanted = ledger.proven();
  wanted.resize(std::min<std::size_t>(ports.config.keep_releases, wanted.size()));
  for (const Instance* instance : {&found->blue, &found->green}) {
    wanted.emplace_back();
    wanted.back().digest = instance->digest;
    wanted.back().snapshot = instance->snapshot;
  }
  if (previous) wanted.push_back(*previous);
  for (const Release& release : *retained) {
    const bool is_wanted = std::any_of(wanted.begin(), wanted.end(), [&](const Release& one) {
      return ports.engine.retained_as_one(one, release);
    });
    if (!is_wanted) (void)ports.engine.release(release);
  }
}

}  // namespace slipway::deploy
