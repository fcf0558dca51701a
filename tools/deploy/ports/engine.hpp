#pragma once

// What deploy and rollback ask of whatever runs the instances: a container engine, a cluster.
// Implementations hold no decisions.

#include "base/error.hpp"
#include "base/process.hpp"
#include "deploy/model/colour.hpp"
#include "deploy/model/release.hpp"
#include "deploy/model/role.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::deploy {

// What is on a colour: one container or several alike.
struct Instance {
  bool exists = false;
  bool running = false;  // it runs, or is still on its way there
  int ready = 0;         // how many run, of how many are wanted
  int desired = 1;
  // Why it does not run, or not all of it, in the platform's words, fit to be shown; may be empty.
  std::string reason;
  std::string transaction;  // labels that we gave it
  std::string digest;
  std::string snapshot;
  std::string image_id;
  int restart_count = 0;
  int exit_code = 0;
  std::string ended = {};  // when it last ended, as format_utc() has it; empty: never, or not told
};

// When an instance ended, as `told` by a platform, for Instance::ended.
std::string end_of(std::string_view told);

// "ended with status 137 at 2026-01-31T03:12:00.000Z: it was killed ..."
std::string death_of(const Instance& instance);

// Where an instance's HTTP is asked from here: a host and a port, or a unix socket, with what comes
// before the path.
struct Endpoint {
  std::string unix_socket;
  std::string host;
  std::uint16_t port = 0;
  std::string prefix;
};

// A place that a release needs room in.
struct Room {
  std::string place;
  std::uint64_t free_bytes = 0;
  std::string remedy;  // what to do where it is too little
};

class Engine {
 public:
  virtual ~Engine() = default;

  // The image of `reference`, where the engine has it: by digest, or by image id where it forgot
  // the digest. Errors: not_found, unreachable.
  virtual Result<Release> find_local(const Release& release) = 0;

  // Asks the registry which digest `reference` names and brings that digest to the engine.
  // Errors: not_found, unreachable, failed, cancelled.
  virtual Result<Release> pull(const Reference& reference, std::stop_token stop) = 0;

  // Whether pull() changes nothing here, so that a dry run may ask, too.
  virtual bool pull_only_asks() const { return false; }

  // Makes sure that pruning images cannot take the image.
  virtual Result<void> retain(const Release& release) = 0;
  // Makes sure that pull() brings the image also where somebody pruned all that does not run, and
  // there is no registry. Errors: failed, io, timeout, cancelled.
  virtual Result<void> archive(const Release& release, std::stop_token stop) = 0;
  // Those of `releases` that only a registry has.
  virtual Result<std::vector<Release>> missing(const std::vector<Release>& releases) = 0;
  // Undoes retain() and archive(), and removes the image unless something else uses it.
  virtual Result<void> release(const Release& unwanted) = 0;
  // What is retained now, as the engine says, independent of the journal. What a Docker engine
  // holds comes newest first; others tell no order.
  virtual Result<std::vector<Release>> retained() = 0;
  // Whether what is retained of the one is what is retained of the other.
  virtual bool retained_as_one(const Release& a, const Release& b) const {
    return a.digest == b.digest;
  }

  // The places that a release needs room in, and what is free there.
  virtual Result<std::vector<Room>> room() = 0;

  virtual Result<Instance> inspect(Colour colour) = 0;
  // Removes what is left on the colour and starts the release there as a standby.
  virtual Result<void> start(Colour colour, const Release& release, const std::string& transaction,
                             std::stop_token stop) = 0;
  // The same, only that it does not run until start_again().
  virtual Result<void> create(Colour colour, const Release& release, const std::string& transaction,
                              std::stop_token stop) = 0;
  // Stops what is on the colour, which has `grace` to answer what it accepted, and keeps it.
  virtual Result<void> stop(Colour colour, std::chrono::nanoseconds grace) = 0;
  // Starts what is on the colour; nothing happens where it runs.
  virtual Result<void> start_again(Colour colour) = 0;
  // Tells what runs on the colour; whether it obeyed is seen in its health.
  virtual Result<void> set_role(Colour colour, Role role) = 0;
  // Stops (politely, then not) and removes; nothing there is success.
  virtual Result<void> remove(Colour colour) = 0;

  // Where each of the colour's instances, at least one, answers HTTP on `port`. Errors:
  // unreachable, not_found.
  virtual Result<std::vector<Endpoint>> endpoints(Colour colour, std::uint16_t port) = 0;
  // The last lines that the instance wrote, as they are.
  virtual Result<std::string> log_tail(Colour colour) = 0;
  // Runs a command beside each of the colour's instances; the output, as it came, is that of one
  // where it failed, else of any.
  virtual Result<CommandOutput> execute(Colour colour, const std::vector<std::string>& argv,
                                        std::chrono::nanoseconds deadline) = 0;
};

}  // namespace slipway::deploy
