#pragma once

#include "base/json.hpp"
#include "packet_bench/driver.hpp"
#include "packet_bench/subject/scrape.hpp"

#include <filesystem>
#include <sched.h>
#include <string>
#include <utility>
#include <vector>

namespace slipway::test {

// A connector as an operator runs it: two accounts, and whatever alice sends is bob's.
class RunningConnector {
 public:
  RunningConnector()
      : server_({(std::filesystem::path(PACKET_BENCH).parent_path() / "connector").string(),
                 "--config", config_file()}),
        btp_port_(server_.port("\"btpPort\":", ',')),
        http_port_(server_.port("\"httpPort\":", ',')) {}

  std::string url(const std::string& token) const {
    return fmt::format("btp+ws://:{}@127.0.0.1:{}/", token, btp_port_);
  }
  int http_port() const { return http_port_; }
  pid_t pid() const { return server_.child().pid(); }
  bench::Scrape counters() const {
    const auto page =
        bench::parse_target(fmt::format("http://127.0.0.1:{}/metrics", http_port_)).value();
    return bench::scrape(page).value();
  }
  // Of each thread: policy and processors.
  std::vector<std::pair<int, int>> scheduling() const {
    std::vector<std::pair<int, int>> threads;
    for (const auto& task :
         std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid()))) {
      const int id = std::stoi(task.path().filename());
      cpu_set_t cpus;
      CPU_ZERO(&cpus);
      ::sched_getaffinity(id, sizeof cpus, &cpus);
      threads.emplace_back(::sched_getscheduler(id), CPU_COUNT(&cpus));
    }
    return threads;
  }

 private:
  std::string config_file() const {
    const nlohmann::json listens{{"host", "127.0.0.1"}, {"port", 0}};
    const auto account = [](const std::string& id) {
      return nlohmann::json{{"id", id},
                            {"relation", "child"},
                            {"asset", {{"code", "USD"}, {"scale", 9}}},
                            {"token", "secret-" + id}};
    };
    const nlohmann::json config{{"address", "test.here"},
                                {"btp", listens},
                                {"http", listens},
                                {"ledger", {{"store", "none"}}},
                                {"accounts", {account("alice"), account("bob")}},
                                {"routes", {{{"prefix", "test.here.bob"}, {"account", "bob"}}}}};
    const std::string file = (folder_.path() / "connector.json").string();
    write_durably(file, to_text(config), 0600).value();
    return file;
  }

  TemporaryDirectory folder_;
  Server server_;
  int btp_port_;
  int http_port_;
};

}  // namespace slipway::test
