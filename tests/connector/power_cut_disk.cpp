#include "connector/power_cut_disk.hpp"

#include "base/process.hpp"

#include <stdexcept>
#include <unistd.h>

namespace slipway::connector::test {
namespace {

void run(std::vector<std::string> argv) {
  const std::string name = argv[0];
  const auto done = run_command({.argv = std::move(argv)});
  if (!done) throw std::runtime_error(done.error().text());
  if (done->exit_status != 0) throw std::runtime_error(name + ": " + done->err);
}

}  // namespace

std::string PowerCutDisk::why_not() {
  if (::geteuid() != 0) return "mounting a file system needs root";
  for (const char* file : {"/dev/loop-control", "/usr/sbin/mkfs.ext4"}) {
    if (!std::filesystem::exists(file)) return std::string("there is no ") + file;
  }
  return {};
}

PowerCutDisk::PowerCutDisk(std::uint64_t megabytes) {
  // A server of another user lives in it.
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0711));
  std::filesystem::create_directory(path());
  run({"truncate", "--size", std::to_string(megabytes) + "M", image().string()});
  run({"/usr/sbin/mkfs.ext4", "-q", image().string()});
  mount();
}

PowerCutDisk::~PowerCutDisk() {
  // Lazily: a test that failed may have left somebody in it.
  run_command({.argv = {"umount", "--lazy", path().string()}});
}

// commit: the journal is written when somebody syncs, and not every five seconds by itself.
void PowerCutDisk::mount() {
  run({"mount", "-o", "loop,commit=300", image().string(), path().string()});
}

void PowerCutDisk::cut() {
  const std::filesystem::path before = image();
  ++cuts_;
  run({"cp", "--sparse=always", before.string(), image().string()});
  run({"umount", path().string()});
  std::filesystem::remove(before);
  mount();
}

}  // namespace slipway::connector::test
