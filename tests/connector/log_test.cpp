#include "connector/log.hpp"

#include "support/catch.hpp"

using namespace slipway::connector;

// Also where a plain char has no sign, as on arm64.
TEST_CASE("in the log every byte that is not printable ASCII is escaped", "[connector]") {
  CHECK(json_string("a~ \"\\") == R"("a~ \"\\")");
  CHECK(json_string("\x01\x1f\x7f") == R"("\u0001\u001f\u007f")");
  CHECK(json_string("\x80\xc3\xa9\xff") == R"("\u0080\u00c3\u00a9\u00ff")");
}
