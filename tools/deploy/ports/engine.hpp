#pragma once

// What deploy and rollback ask of a container engine. Implementations hold no decisions.

#include "base/error.hpp"
#include "base/process.hpp"
#include "deploy/model/colour.hpp"
#include "deploy/model/release.hpp"

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace slipway::deploy {

// A colour's container as the engine reports it.
struct Instance {
  bool exists = false;
  bool running = false;
  std::string id;
  std::string transaction;  // labels that we gave it
  std::string digest;
  std::string snapshot;
  std::string image_id;
  int restart_count = 0;
  int exit_code = 0;
  std::string error;  // the engine's own words where it could not start it
};

class Engine {
 public:
  virtual ~Engine() = default;

  // The image of `reference` on this host: by digest, or by image id where the engine forgot the
  // digest. Errors: not_found, unreachable.
  virtual Result<Release> find_local(const Release& release) = 0;

  // Asks the registry which digest `reference` names and brings that digest onto this host.
  // Errors: not_found, unreachable, failed, cancelled.
  virtual Result<Release> pull(const Reference& reference, std::stop_token stop) = 0;

  // Makes sure that pruning cannot take the image: a tag and a created container of ours.
  virtual Result<void> hold(const Release& release) = 0;
  // Lets go of what hold() made and removes the image unless something else uses it.
  virtual Result<void> let_go(const Release& release) = 0;
  // What is held now: from labels, independent of the journal.
  virtual Result<std::vector<Release>> held() = 0;

  // The folder in which the engine keeps images.
  virtual Result<std::string> storage_directory() = 0;

  // Starts HAProxy unless it runs. Never recreates it.
  virtual Result<void> start_proxy(std::stop_token stop) = 0;

  virtual Result<Instance> inspect(Colour colour) = 0;
  // Removes what is left on the colour and starts the release there as a standby; with the
  // strategy `recreate` it is only made ready to be started.
  virtual Result<void> start(Colour colour, const Release& release, const std::string& transaction,
                             std::stop_token stop) = 0;
  // Stops the colour's container, which has the drain deadline to answer what it accepted, and
  // keeps it.
  virtual Result<void> stop(Colour colour) = 0;
  // Starts the container that is on the colour; nothing happens where it runs.
  virtual Result<void> start_again(Colour colour) = 0;
  virtual Result<void> send_signal(Colour colour, int number) = 0;
  // Stops (politely, then not) and removes; nothing there is success.
  virtual Result<void> remove(Colour colour) = 0;
  // The last lines that the container wrote, as they are.
  virtual Result<std::string> log_tail(Colour colour) = 0;
  // Runs a command in the colour's container.
  virtual Result<CommandOutput> execute(Colour colour, const std::vector<std::string>& argv,
                                        std::chrono::nanoseconds deadline) = 0;
};

}  // namespace slipway::deploy
