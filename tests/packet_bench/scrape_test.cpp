#include "packet_bench/subject/scrape.hpp"

#include "packet_bench/subject/container.hpp"
#include "support/catch.hpp"
#include "support/loopback_port.hpp"
#include "support/temporary_directory.hpp"

#include <fstream>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <fmt/core.h>

using namespace slipway;
using namespace slipway::bench;
using namespace std::chrono_literals;

namespace {

// Answers one request with `text` and closes.
class PageServer {
 public:
  explicit PageServer(std::string text)
      : server_([this, text = std::move(text)] {
          const UniqueFd peer = port_.accept();
          char request[4096];
          (void)::read(peer.get(), request, sizeof request);
          (void)::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL);
        }) {}
  ~PageServer() {
    port_.stop();
    server_.join();
  }
  Target page() const {
    return parse_target(fmt::format("http://127.0.0.1:{}/", port_.number())).value();
  }

 private:
  test::LoopbackPort port_;
  std::thread server_;
};

}  // namespace

TEST_CASE("a metrics page yields the target's cost and its counts over all accounts", "[scrape]") {
  const Scrape scrape = parse_scrape(R"(# HELP ilp_packets_total Prepares answered.
# TYPE ilp_packets_total counter
ilp_packets_total{account="a",direction="in",result="fulfilled",code=""} 40
ilp_packets_total{account="b } x",direction="in",result="fulfilled",code=""} 2
ilp_packets_total{account="a",direction="in",result="rejected",code="T04"} 3
ilp_packets_total{account="c",direction="out",result="fulfilled",code=""} 1000
process_resident_memory_bytes 1.048576e+06
process_cpu_seconds_total 12.5
)");
  CHECK(scrape.fulfilled == 42u);
  CHECK(scrape.rejected == 3u);
  CHECK(scrape.cpu_seconds == 12.5);
  CHECK(scrape.resident_bytes == 1048576);
}

TEST_CASE("a page that has counted no reject yet says that there was none", "[scrape]") {
  const Scrape scrape =
      parse_scrape("ilp_packets_total{direction=\"in\",result=\"fulfilled\"} 7\n");
  CHECK(scrape.fulfilled == 7u);
  CHECK(scrape.rejected == 0u);
  CHECK(parse_scrape("ilp_packets_total{direction=\"in\",result=\"other\"} 3\n").rejected == 3u);
}

TEST_CASE("a page without such metrics yields nothing", "[scrape]") {
  const Scrape scrape = parse_scrape("ilp_packets_total{direction=\"in\"\nup 1\n\nx\n# only");
  CHECK_FALSE(scrape.fulfilled);
  CHECK_FALSE(scrape.cpu_seconds);
}

TEST_CASE("a page is taken whole or not at all", "[scrape]") {
  struct Case {
    std::string head;
    std::string complaint;  // empty: it is taken
  };
  const auto wanted =
      GENERATE(Case{"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n", ""},
               Case{"HTTP/1.0 200 OK\r\n\r\n", ""},
               Case{"HTTP/1.1 200 OK\r\ncontent-length: 31\r\n\r\n", "cut off before its end"},
               Case{"HTTP/1.1 200 OK\r\nContent-Length: 31", "it does not speak HTTP"},
               Case{"HTTP/1.1 404 Not Found\r\n\r\n", "it answered 404"},
               Case{"220 mail\r\n\r\n", "it does not speak HTTP"});
  PageServer server(wanted.head + "process_cpu_seconds_total 1.5\n");
  const auto seen = scrape(server.page());
  INFO(wanted.head);
  CHECK(seen.has_value() == wanted.complaint.empty());
  if (seen) {
    CHECK(seen->cpu_seconds == 1.5);
  } else {
    CHECK_THAT(seen.error().what, ContainsSubstring(wanted.complaint));
  }
}

TEST_CASE("a container's control group is found in both versions, and everybody's is not taken",
          "[scrape]") {
  const ControlGroup two = control_group("0::/system.slice/docker-abc.scope\n", "/g");
  CHECK(two.cpu == "/g/system.slice/docker-abc.scope/cpu.stat");
  CHECK(two.memory == "/g/system.slice/docker-abc.scope/memory.current");
  const ControlGroup one =
      control_group("4:memory:/docker/abc\n2:cpuacct,cpu:/docker/abc\n0::/docker/abc\n", "/g");
  CHECK(one.cpu == "/g/cpuacct/docker/abc/cpuacct.usage");
  CHECK(one.memory == "/g/memory/docker/abc/memory.usage_in_bytes");
  CHECK(control_group("0::/\n", "/g").cpu.empty());
  CHECK_FALSE(ControlGroup{}.cpu_used());
}

// Figures of a container that held 50 MB and had written a file of 100 MB: Docker 20.10 said
// "53.27MiB" of it.
TEST_CASE("a control group's memory is without the files that were only written", "[scrape]") {
  const slipway::test::TemporaryDirectory root;
  const auto put = [&](const std::string& file, const std::string& text) {
    std::filesystem::create_directories((root.path() / file).parent_path());
    std::ofstream(root.path() / file) << text;
  };
  put("cpuacct/a/cpuacct.usage", "374089315\n");
  put("memory/a/memory.usage_in_bytes", "160718848\n");
  put("memory/a/memory.stat",
      "cache 104857600\ninactive_file 4096\ntotal_cache 104857600\n"
      "total_inactive_file 104857600\ntotal_active_file 0\n");
  const ControlGroup one = control_group("4:memory:/a\n2:cpuacct:/a\n", root.path());
  CHECK(one.cpu_used() == 374089315ns);
  CHECK(one.memory_bytes() == 55861248u);

  put("b/cpu.stat", "usage_usec 374089\nuser_usec 300000\n");
  put("b/memory.current", "160718848\n");
  const ControlGroup two = control_group("0::/b\n", root.path());
  CHECK(two.cpu_used() == 374089us);
  CHECK(two.memory_bytes() == 160718848u);
  put("b/memory.stat", "anon 52486144\nfile 104857600\ninactive_file 104857600\n");
  CHECK(two.memory_bytes() == 55861248u);
}
