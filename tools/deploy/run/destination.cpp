#include "deploy/run/destination.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

std::string known_versions(const Ledger& ledger, const std::optional<Release>& current) {
  std::string list;
  for (const Release& release : ledger.proven()) {
    list += list.empty() ? "" : ", ";
    list += release.describe();
    if (current && release.same_as(*current)) list += " (the current one)";
  }
  return list.empty() ? "no version is known on this host" : "known versions: " + list;
}

// With the configuration of today.
Result<void> settle(Ports& ports, Destination& destination) {
  auto snapshot = ports.store.read_snapshot(destination.release);
  if (!snapshot) return snapshot.error();
  destination.snapshot = std::move(*snapshot);
  destination.release.snapshot = destination.snapshot->hash();
  return {};
}

// What may run here is one repository's: whoever may deploy is not therefore trusted with any
// image, which is told the service's secrets.
Result<void> check_repository(const Ports& ports, const Reference& reference) {
  const Config& config = ports.config;
  if (config.repository.empty() && !ports.shows_words) {
    return Error{ErrorKind::usage,
                 fmt::format("{} names no image, and a key that may only deploy may not choose one",
                             config.file.string()),
                 "write the repository that CI pushes to into its field image"};
  }
  if (config.repository.empty() ||
      normalised_repository(config.repository) == normalised_repository(reference.repository)) {
    return {};
  }
  return Error{ErrorKind::usage,
               fmt::format("{} is not what this host runs: its configuration says image {}",
                           reference.repository, config.repository),
               fmt::format("deploy an image of {}, or correct image in {}", config.repository,
                           config.file.string())};
}

Result<Destination> destination_of_deploy(Ports& ports, const Options& options, bool may_pull,
                                          std::stop_token stop) {
  auto reference = parse_reference(options.target);
  if (!reference) return reference.error();
  if (auto allowed = check_repository(ports, *reference); !allowed) return allowed.error();
  Destination destination;
  if (auto usable = ports.store.check_configuration(); !usable) return usable.error();
  Release wanted;
  wanted.repository = reference->repository;
  wanted.tag = reference->tag;
  wanted.digest = reference->digest;
  // A digest that is here needs no network.
  Result<Release> found = Error{ErrorKind::not_found, "not here", {}};
  if (!wanted.digest.empty()) found = ports.engine.find_local(wanted);
  if (!found && may_pull) found = ports.engine.pull(*reference, stop);
  if (!found && may_pull) return found.error();
  destination.release = found ? *found : wanted;
  if (!found) return destination;
  if (auto settled = settle(ports, destination); !settled) return settled.error();
  if (destination.release.revision.empty() &&
      !service_of(ports, destination.release).version_is_digest) {
    return Error{ErrorKind::failed,
                 fmt::format("{} has no label org.opencontainers.image.revision", options.target),
                 "set the label, which the releaseId in its health is compared with, or, for an "
                 "image that cannot say its version, write 'version: digest' into slipway.yml"};
  }
  return destination;
}

// Whether what serves still does not answer after a while: only asked where it matters, because
// whoever rolls back from a version that hangs should not wait for it.
bool is_dead(Ports& ports, const Survey& found, const std::optional<Release>& current) {
  return found.active && !(current && is_alive(ports, *found.active, found.on(*found.active),
                                               *current, patience_with_serving));
}

std::optional<Release> choose(Ports& ports, const Ledger& ledger, const Survey& found,
                              const std::optional<Release>& current) {
  auto usual = ledger.rollback_target(current);
  const auto waiting = release_waiting(ports, ledger, found);
  const bool same = usual && waiting && usual->same_as(*waiting);
  if (!waiting || same || !is_dead(ports, found, current)) return usual;
  return ledger.rollback_target(current, waiting);
}

Error no_destination(const Options& options, const Ledger& ledger,
                     const std::optional<Release>& current) {
  const std::string what = options.target.empty()
                               ? std::string("there is no earlier version proven healthy")
                               : fmt::format("no version '{}' is known", options.target);
  std::string remedy = "deploy the version that is wanted";
  for (const Release& release : ledger.proven()) {
    if (current && release.same_as(*current)) continue;
    remedy = fmt::format(
        "name the version that is wanted: 'rollback {}'{}", release.digest,
        ledger.is_retracted(release) ? " goes to the one that was rolled back from" : "");
    break;
  }
  if (current) {
    remedy = "if what should serve is down, 'rollback --resume' starts it again; else " + remedy;
  }
  return {ErrorKind::not_found, what + " on this host; " + known_versions(ledger, current), remedy};
}

// A rollback leads to what served before; anything else is a deploy, with all that this asks for.
Error never_proven(const Release& release, const Ledger& ledger,
                   const std::optional<Release>& current) {
  return {
      ErrorKind::not_found,
      fmt::format("{} was tried on this host and never proved itself, so there is nothing to go "
                  "back to; {}",
                  release.describe(), known_versions(ledger, current)),
      fmt::format("to try it once more: deploy {}@{}", release.repository, release.digest)};
}

Result<Destination> destination_of_rollback(Ports& ports, const Options& options,
                                            const Ledger& ledger, const Survey& found_there,
                                            bool may_pull, std::stop_token stop) {
  const auto current = release_serving(ports, ledger, found_there);
  const auto chosen = options.target.empty() ? choose(ports, ledger, found_there, current)
                                             : ledger.find(options.target);
  if (!chosen) return no_destination(options, ledger, current);
  if (!options.target.empty() && !ledger.is_proven(*chosen))
    return never_proven(*chosen, ledger, current);
  Destination destination{*chosen, {}};
  if (auto known = ports.store.service_of(chosen->snapshot); !known) return known.error();
  auto found = ports.engine.find_local(destination.release);
  if (!found && may_pull) {
    const Reference by_digest{chosen->repository, chosen->tag, chosen->digest};
    found = ports.engine.pull(by_digest, stop);
    if (!found && found.error().kind == ErrorKind::cancelled) return found.error();
    if (!found) {
      return Error{ErrorKind::not_found,
                   fmt::format("the image {} is not on this host any more, and {}",
                               chosen->describe(), found.error().what),
                   known_versions(ledger, current)};
    }
    destination.release.image_id = found->image_id;
  }
  if (options.image_only && found) {
    destination.release.description = found->description;
    if (auto settled = settle(ports, destination); !settled) return settled.error();
  }
  return destination;
}

}  // namespace

Result<Destination> find_destination(Ports& ports, const Options& options, const Ledger& ledger,
                                     const Survey& found, bool may_pull, std::stop_token stop) {
  if (options.action == Action::deploy) {
    auto destination = destination_of_deploy(ports, options, may_pull, std::move(stop));
    if (!destination && (destination.error().kind == ErrorKind::not_found ||
                         destination.error().kind == ErrorKind::unreachable)) {
      Error error = destination.error();
      if (error.remedy.empty()) {
        error.remedy = "check the name, and that this host reaches the registry and is logged in";
      }
      error.remedy += "; " + known_versions(ledger, release_serving(ports, ledger, found));
      return error;
    }
    return destination;
  }
  return destination_of_rollback(ports, options, ledger, found, may_pull, std::move(stop));
}

}  // namespace slipway::deploy
