// The drain notice's bytes, as the guide has them; btp-packet 2.2.1 writes and reads the same.
#include "wire/btp_drain.hpp"

#include "support/catch.hpp"
#include "support/hex.hpp"

using namespace slipway;
using namespace slipway::wire;
using test::from_hex;
using test::to_hex;

TEST_CASE("the drain notice and its answer are these bytes", "[wire]") {
  std::vector<std::uint8_t> notice;
  encode_drain(BtpType::message, 0xdadadada, notice);
  CHECK(to_hex(notice) == "06dadadada0a010105647261696e0000");
  std::vector<std::uint8_t> answer;
  encode_drain(BtpType::response, 0xdadadada, answer);
  CHECK(to_hex(answer) == "01dadadada0a010105647261696e0000");
}

TEST_CASE("an auth message that says that a drain notice is understood is told from one without",
          "[wire]") {
  const auto says = from_hex(
      "060000000121010304617574680000"
      "0a617574685f746f6b656e0103746f6b"
      "05647261696e0000");
  const auto frame = decode_btp_frame(says);
  REQUIRE(frame.has_value());
  CHECK(is_about_drain(*frame));
  const auto silent = from_hex(
      "060000000119010204617574680000"
      "0a617574685f746f6b656e0103746f6b");
  const auto other = decode_btp_frame(silent);
  REQUIRE(other.has_value());
  CHECK_FALSE(is_about_drain(*other));
}
