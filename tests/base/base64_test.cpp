#include "base/base64.hpp"

#include "support/catch.hpp"

#include <string>

using namespace slipway;

TEST_CASE("base64 is read back as it was written, and what is none is nothing", "[base64]") {
  for (const std::string bytes : {"", "a", "ab", "abc", "abcd"}) {
    INFO(bytes);
    const std::string text =
        base64({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    CHECK(from_base64(text) == bytes);
    CHECK(from_base64(text + "\n") == bytes);
  }
  for (const char* wrong : {"a", "a*bc", "====="}) {
    INFO(wrong);
    CHECK_FALSE(from_base64(wrong).has_value());
  }
}
