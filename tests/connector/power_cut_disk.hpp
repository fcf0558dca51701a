#pragma once

#include "support/temporary_directory.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace slipway::connector::test {

// A file system (ext4, in a file, over a loop device) that can lose power. What was not synced is
// in the kernel's memory only and has not reached the file; cut() copies the file while the file
// system is mounted and goes on with the copy, which the file system's own journal then recovers.
// What the device itself was given survives in whatever order: a write cache that reorders is not
// simulated.
class PowerCutDisk {
 public:
  // Empty, or why it cannot be had here: it needs root, loop devices and mkfs.ext4.
  static std::string why_not();

  explicit PowerCutDisk(std::uint64_t megabytes);
  ~PowerCutDisk();

  std::filesystem::path path() const { return folder_.path() / "mounted"; }
  // Nobody may be writing; what has the old files open must be gone.
  void cut();

 private:
  std::filesystem::path image() const {
    return folder_.path() / ("image-" + std::to_string(cuts_));
  }
  void mount();

  slipway::test::TemporaryDirectory folder_;
  int cuts_ = 0;
};

}  // namespace slipway::connector::test
