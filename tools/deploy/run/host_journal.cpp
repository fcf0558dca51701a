#include "deploy/run/host_journal.hpp"

#include "base/units.hpp"
#include "deploy/run/survey.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// From labels: what serves now is proven by serving. What is retained was proven, too, unless it is
// of a deploy that failed since the last one that did not: whoever goes back to it sees it proven
// again.
Result<std::unique_ptr<Journal>> rebuild(Ports& ports, const std::string& why) {
  const Error ambiguous{ErrorKind::corrupt,
                        fmt::format("{}, and what runs does not tell which version serves", why),
                        "see 'recover a broken host' in the operators' guide"};
  auto found = survey(ports);
  if (!found) return found.error();
  auto retained = ports.engine.retained();
  if (!retained) return retained.error();
  const Ledger nothing({});
  // The one that served last comes last, where the engine tells an order.
  std::vector<Release> releases(retained->rbegin(), retained->rend());
  if (found->active) {
    const Instance& serving = found->on(*found->active);
    const Instance& spare = found->on(other(*found->active));
    if (!serving.running || serving.digest.empty()) return ambiguous;
    if (auto release = release_on(ports, nothing, spare)) releases.push_back(*release);
    auto current = release_on(ports, nothing, serving);
    if (!current) return ambiguous;
    if (current->revision.empty() && !service_of(ports, *current).version_is_digest) {
      return ambiguous;
    }
    releases.push_back(*current);
  } else if (found->blue.running || found->green.running) {
    return ambiguous;
  }
  if (auto aside = ports.store.set_aside_journal(); !aside) return aside.error();
  auto fresh = ports.store.open_journal();
  if (!fresh) return fresh.error();
  auto noted = (*fresh)->append("", format_utc(ports.clock.utc()), Rebuilt{why, releases});
  if (!noted) return noted.error();
  return fresh;
}

}  // namespace

Result<std::unique_ptr<Journal>> open_host_journal(Ports& ports, bool read_only) {
  auto opened = ports.store.open_journal();
  if (!opened) {
    if (opened.error().kind != ErrorKind::corrupt || read_only) return opened;
    return rebuild(ports, opened.error().what);
  }
  if (!(*opened)->records().empty() || read_only) return opened;
  auto found = survey(ports);
  // A host on which nothing of ours runs yet needs no rebuilding, nor does one that cannot be
  // looked at: the operation itself will say so.
  if (!found || (!found->active && !found->blue.exists && !found->green.exists)) return opened;
  return rebuild(ports, "there is no journal");
}

}  // namespace slipway::deploy
