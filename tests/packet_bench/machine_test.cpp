#include "packet_bench/subject/machine.hpp"

#include "support/catch.hpp"

using namespace slipway::bench;

TEST_CASE("a processor has a model on each architecture, so that machines are told apart",
          "[machine]") {
  CHECK(cpu_model("processor\t: 0\nmodel\t\t: 85\nmodel name\t: Xeon: a name\nflags\t: fpu\n") ==
        "Xeon: a name");
  CHECK(
      cpu_model("processor\t: 0\nBogoMIPS\t: 50.00\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
                "CPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n") ==
      "implementer 0x41, part 0xd0c");
  CHECK(cpu_model("processor\t: 0\n") == "unknown");
  CHECK(cpu_model("") == "unknown");
}
