#pragma once

#include "base/error.hpp"
#include "base/process.hpp"
#include "base/unique_fd.hpp"
#include "packet_bench/subject/container.hpp"
#include "service/service.hpp"

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace slipway::bench {

struct FoundImage {
  std::string id;
  std::string revision;  // its label org.opencontainers.image.revision, or empty
};
// An image of the local Docker engine, which pulls it when it has none of that name. Errors:
// unreachable (no docker, no engine, no such image; with what docker said), cancelled.
Result<FoundImage> find_image(const std::string& reference, std::stop_token stop);

// A container, made but not started; removed with its owner, whatever it does then, and however
// this program ends: a process that outlives it removes what it left.
class OwnContainer {
 public:
  struct Options {
    std::string image;
    std::vector<std::string> arguments;  // of the image's entry point
    std::filesystem::path file;          // to be seen inside, under the same path
    Environment secrets;                 // variables whose values are in no argument list
    // Started as deploy would start it, with an address of its own; nothing: in this machine's
    // network, where a packet takes the path that it takes to an executable.
    std::optional<service::Service> service = {};
    // That it may use from its start on (as of cpuset(7)); empty: all.
    std::string processors = {};
  };
  // Errors: unreachable, with what docker said.
  static Result<OwnContainer> create(const Options& options);

  OwnContainer(OwnContainer&& other) noexcept
      : name_(std::exchange(other.name_, {})), guard_(std::move(other.guard_)) {}
  OwnContainer& operator=(OwnContainer&&) = delete;
  ~OwnContainer();

  const std::string& name() const { return name_; }
  // Errors: unreachable, with what docker said.
  Result<void> signal(const std::string& signal_name) const;
  // Errors: unreachable, with what docker said.
  Result<void> allow_processors(const std::string& processors) const;
  // Starts it, prints what it says, and ends when it ends, likewise.
  std::vector<std::string> start_command() const;

 private:
  // What removes the container once nobody holds `life` any more.
  struct Guard {
    UniqueFd life;
    Child process;
  };
  static Result<Guard> guard(const std::string& name);

  OwnContainer(std::string name, Guard guard) : name_(std::move(name)), guard_(std::move(guard)) {}
  std::string name_;  // empty: moved from
  Guard guard_;
};

// The same once it runs. Errors: unreachable.
Result<Container> find_own(const OwnContainer& own);

}  // namespace slipway::bench
