#include "connector/admission.hpp"

#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace slipway::connector;

namespace {

const auto here = boost::asio::ip::make_address("192.0.2.1");
const auto there = boost::asio::ip::make_address("192.0.2.2");

}  // namespace

TEST_CASE("the stranger that has waited longest goes when there is one too many", "[connector]") {
  Admission admission(2);
  std::string gone;
  CHECK_FALSE(admission.make_room());
  const auto first = admission.admit(here, [&] { gone += "1"; });
  const auto second = admission.admit(here, [&] { gone += "2"; });
  CHECK(admission.make_room());
  CHECK(gone == "1");
  const auto third = admission.admit(here, [&] { gone += "3"; });
  CHECK(admission.make_room());
  CHECK(gone == "12");
}

TEST_CASE("a flood from one address pushes out only itself", "[connector]") {
  Admission admission(4);
  bool honest_gone = false;
  const auto honest = admission.admit(there, [&] { honest_gone = true; });
  std::vector<std::unique_ptr<Admission::Ticket>> flood;
  int evicted = 0;
  for (int i = 0; i < 100; ++i) {
    admission.make_room();
    flood.push_back(admission.admit(here, [&] { ++evicted; }));
  }
  CHECK_FALSE(honest_gone);
  CHECK(evicted == 97);
}

TEST_CASE("who has shown whose it is no longer counts, and is not evicted", "[connector]") {
  Admission admission(1);
  int evicted = 0;
  auto ticket = admission.admit(here, [&] { ++evicted; });
  ticket.reset();
  CHECK_FALSE(admission.make_room());
  ticket = admission.admit(here, [&] { ++evicted; });
  ticket->on_evict([&] { evicted += 10; });
  CHECK(admission.make_room());
  CHECK(evicted == 10);
  CHECK_FALSE(admission.make_room());
}
