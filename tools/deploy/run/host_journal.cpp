#include "deploy/run/host_journal.hpp"

#include "base/units.hpp"
#include "deploy/run/survey.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

std::filesystem::path journal_file(const World& world) {
  return world.config.state_directory / "journal";
}

// From labels: what serves now is proven by serving, what is held was proven when it was held.
Result<Journal> rebuild(World& world, const std::string& why) {
  const Error ambiguous{ErrorKind::corrupt,
                        fmt::format("{}, and what runs does not tell which version serves", why),
                        "see 'recover a broken host' in the operators' guide"};
  auto found = survey(world);
  if (!found) return found.error();
  auto held = world.engine.held();
  if (!held) return held.error();
  const Ledger nothing({});
  std::vector<Release> releases = *held;
  if (found->active) {
    const Instance& serving = found->on(*found->active);
    const Instance& spare = found->on(other(*found->active));
    if (!serving.running || serving.digest.empty()) return ambiguous;
    if (auto release = release_on(world, nothing, spare)) releases.push_back(*release);
    auto current = release_on(world, nothing, serving);
    if (!current || current->revision.empty()) return ambiguous;
    releases.push_back(*current);
  } else if (found->blue.running || found->green.running) {
    return ambiguous;
  }
  if (std::filesystem::exists(journal_file(world))) {
    auto aside = Journal::set_aside(journal_file(world));
    if (!aside) return aside.error();
  }
  auto fresh = Journal::open(journal_file(world));
  if (!fresh) return fresh.error();
  nlohmann::json list = nlohmann::json::array();
  for (const Release& release : releases) list.push_back(to_json(release));
  auto noted = fresh->append("rebuilt", "", format_utc(world.clock.utc()),
                             {{"why", why}, {"releases", list}});
  if (!noted) return noted.error();
  return fresh;
}

}  // namespace

Result<Journal> open_host_journal(World& world, bool read_only) {
  auto opened = Journal::open(journal_file(world));
  if (!opened) {
    if (opened.error().kind != ErrorKind::corrupt || read_only) return opened;
    return rebuild(world, opened.error().what);
  }
  if (!opened->records().empty() || read_only) return opened;
  auto found = survey(world);
  // A host on which nothing of ours runs yet needs no rebuilding, nor does one that cannot be
  // looked at: the operation itself will say so.
  if (!found || (!found->active && !found->blue.exists && !found->green.exists)) return opened;
  return rebuild(world, "there is no journal");
}

}  // namespace slipway::deploy
