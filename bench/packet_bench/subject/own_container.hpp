#pragma once

#include "base/error.hpp"
#include "base/process.hpp"

#include <filesystem>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace slipway::bench {

// The id of an image of the local Docker engine, which pulls it when it has none of that name.
// Errors: unreachable (no docker, no engine, no such image; with what docker said), cancelled.
Result<std::string> find_image(const std::string& reference, std::stop_token stop);

// A container in this machine's network, made but not started; removed with its owner, whatever it
// does then. Should this program be killed, `docker ps --all --filter
// label=io.slipway.packet_bench` finds what it left.
class OwnContainer {
 public:
  struct Options {
    std::string image;
    std::vector<std::string> arguments;  // of the image's entry point
    std::filesystem::path file;          // to be seen inside, under the same path
    Environment secrets;                 // variables whose values are in no argument list
  };
  // Errors: unreachable, with what docker said.
  static Result<OwnContainer> create(const Options& options);

  OwnContainer(OwnContainer&& other) noexcept : name_(std::exchange(other.name_, {})) {}
  OwnContainer& operator=(OwnContainer&&) = delete;
  ~OwnContainer();

  const std::string& name() const { return name_; }
  // Starts it, prints what it says, hands signals on to it, and ends when it ends, likewise.
  std::vector<std::string> start_command() const;

 private:
  explicit OwnContainer(std::string name) : name_(std::move(name)) {}
  std::string name_;  // empty: moved from
};

}  // namespace slipway::bench
