#include "packet_bench/scrape.hpp"

#include "packet_bench/container.hpp"
#include "support/catch.hpp"

using namespace slipway::bench;

TEST_CASE("a metrics page yields the target's cost and its counts over all accounts", "[scrape]") {
  const Scrape scrape = parse_metrics(R"(# HELP ilp_packets_total Prepares answered.
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

TEST_CASE("a page without such metrics yields nothing", "[scrape]") {
  const Scrape scrape = parse_metrics("ilp_packets_total{direction=\"in\"\nup 1\n\nx\n# only");
  CHECK_FALSE(scrape.fulfilled);
  CHECK_FALSE(scrape.cpu_seconds);
}

TEST_CASE("a container's control group is found in both versions, and everybody's is not taken",
          "[scrape]") {
  const ControlGroup two = control_group("0::/system.slice/docker-abc.scope\n", "/g");
  CHECK(two.cpu == "/g/system.slice/docker-abc.scope/cpu.stat");
  CHECK(two.memory == "/g/system.slice/docker-abc.scope/memory.current");
  const ControlGroup one =
      control_group("4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/\n", "/g");
  CHECK(one.cpu == "/g/cpu,cpuacct/docker/abc/cpuacct.usage");
  CHECK(one.memory == "/g/memory/docker/abc/memory.usage_in_bytes");
  CHECK(control_group("0::/\n", "/g").cpu.empty());
  CHECK_FALSE(ControlGroup{}.cpu_used());
}
