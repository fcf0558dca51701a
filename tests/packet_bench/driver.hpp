#pragma once

#include "base/durable_file.hpp"
#include "base/json.hpp"
#include "base/process.hpp"
#include "support/temporary_directory.hpp"

#include <chrono>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/core.h>

// Drives the real executables: their paths come from the build.
namespace slipway::test {

struct BenchRun {
  int exit_status;
  std::string out;
  std::string err;
  nlohmann::json results;  // null when no results were written
};

inline BenchRun packet_bench(std::vector<std::string> arguments, const TemporaryDirectory& folder,
                             std::chrono::seconds deadline = std::chrono::seconds(110),
                             const std::string& subcommand = "run",
                             const Environment& variables = {}) {
  const std::string results = (folder.path() / "benchmark-results.json").string();
  Command command{.argv = {PACKET_BENCH, subcommand, "--output", results}, .deadline = deadline};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = current_environment();
  for (const auto& [name, value] : variables) (*command.environment)[name] = value;
  const auto output = run_command(command);
  if (!output) throw std::runtime_error(output.error().text());
  BenchRun run{output->exit_status, output->out, output->err, nullptr};
  if (const auto text = read_file(results)) run.results = parse_json(*text);
  return run;
}

// A program that says on which port it listens; ends with its owner.
class Server {
 public:
  explicit Server(std::vector<std::string> argv) : child_(start(std::move(argv))) {}

  // The number after `before` in its output, once `after` follows it.
  int port(std::string_view before, char after) {
    for (;;) {
      const bool ended = child_.exit_status().has_value();
      const std::string text = output();
      const std::size_t at = text.find(before);
      if (at != std::string::npos && text.find(after, at) != std::string::npos) {
        return std::stoi(text.substr(at + before.size()));
      }
      if (ended) throw std::runtime_error("it ended: " + text);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  std::string output() const {
    const auto text = read_file(output_file());
    return text ? *text : std::string();
  }
  Child& child() { return child_; }
  const Child& child() const { return child_; }

 private:
  Child start(std::vector<std::string> argv) const {
    auto child = Child::start({.argv = std::move(argv), .output_file = output_file()});
    if (!child) throw std::runtime_error(child.error().text());
    return std::move(*child);
  }
  std::string output_file() const { return (folder_.path() / "output").string(); }

  TemporaryDirectory folder_;
  Child child_;
};

// The paced target, listening; ends with its owner.
class PacedTarget {
 public:
  explicit PacedTarget(const std::vector<std::string>& arguments)
      : log_((folder_.path() / "log").string()),
        server_(command(log_, arguments)),
        port_(server_.port("\"btpPort\":", '}')) {}

  std::string url(const std::string& scheme = "btp+ws") const {
    return fmt::format("{}://:token@127.0.0.1:{}/", scheme, port_);
  }
  pid_t pid() const { return server_.child().pid(); }
  int port() const { return port_; }
  // Until it has answered as many packets as it was told to tell of (--tell).
  void await_answers() { server_.port("\"packets\":", '}'); }
  // When each packet came and was answered, in ns, and its own counts; ends it.
  struct Packet {
    std::int64_t arrival;
    std::int64_t answer;
  };
  struct Record {
    std::vector<Packet> packets;
    nlohmann::json counts;
  };
  Record finish() {
    server_.child().terminate();
    Record record;
    const auto bytes = read_file(log_, std::size_t{512} << 20);
    if (bytes) {
      record.packets.resize(bytes->size() / sizeof(Packet));
      std::memcpy(record.packets.data(), bytes->data(), record.packets.size() * sizeof(Packet));
    }
    const std::string text = server_.output();
    record.counts = parse_json(text.substr(text.rfind("{\"received\"")));
    return record;
  }

 private:
  static std::vector<std::string> command(const std::string& log,
                                          const std::vector<std::string>& more) {
    std::vector<std::string> argv{PACED_TARGET, "--log", log};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  }

  TemporaryDirectory folder_;
  std::string log_;
  Server server_;
  int port_;
};

}  // namespace slipway::test
