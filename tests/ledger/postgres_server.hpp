#pragma once

#include "base/process.hpp"
#include "support/temporary_directory.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace slipway::ledger::test {

// A PostgreSQL server of its own, in a folder of its own, that listens on a socket in there. As
// root it runs as the user postgres, since it refuses to run as root.
class PostgresServer {
 public:
  // Where its programs are not installed the process ends with 77, which ctest calls skipped.
  // `folder`: where its data goes; empty: a temporary one.
  explicit PostgresServer(const std::filesystem::path& folder = {});
  ~PostgresServer();

  std::string store() const;
  // As a power cut does: every process of it, at once.
  void kill();
  // After kill().
  void start();
  // Runs SQL; what psql prints.
  std::string run(const std::string& sql) const;

 private:
  std::vector<std::string> as_its_user(std::vector<std::string> argv) const;

  std::optional<slipway::test::TemporaryDirectory> own_;
  std::filesystem::path folder_;
  std::filesystem::path programs_;
  std::optional<Child> server_;
};

}  // namespace slipway::ledger::test
