#include "wire/ilp_packet.hpp"

#include "support/catch.hpp"
#include "support/hex.hpp"
#include "wire/timestamp.hpp"
#include "wire/vectors.hpp"

#include <cctype>

using namespace slipway;
using namespace slipway::wire;
using test::from_hex;
using test::to_hex;

namespace {

using Buffer = std::vector<std::uint8_t>;

std::string text(const nlohmann::json& value) {
  return value.get<std::string>();
}

Buffer prepare_with(std::string_view expiry, std::string_view destination) {
  Buffer bytes = from_hex(
      "0c4f000000000000006b3230313731323233303132313430353439d4735e3a265e16eee03f59718b9b5d03019c"
      "07d8b6c51f90da3a666eec13ab350c746573742e6875622e626f62083505c3284e3621c7");
  std::copy(expiry.begin(), expiry.end(), bytes.begin() + 10);
  std::copy(destination.begin(), destination.end(), bytes.begin() + 60);
  return bytes;
}

std::string refusal(const Buffer& bytes) {
  const auto packet = decode_packet(bytes);
  REQUIRE(packet.has_error());
  CHECK(packet.error().kind == ErrorKind::protocol);
  return packet.error().what;
}

std::string wire_time(Timestamp time) {
  std::uint8_t bytes[timestamp_size];
  format_timestamp(time, bytes);
  return {std::begin(bytes), std::end(bytes)};
}

// 2017-12-23T01:21:40.549Z as it is on the wire: 20171223012140549.
std::string digits(std::string time) {
  std::erase_if(time, [](unsigned char c) { return std::isdigit(c) == 0; });
  return time;
}

}  // namespace

TEST_CASE("every prepare vector decodes to its fields and encodes to its bytes", "[wire]") {
  for (const auto& vector : test::load_vectors("ilp_packet_vectors.json", "prepare")) {
    const Buffer bytes = from_hex(text(vector["binary"]));
    const auto packet = decode_packet(bytes);
    REQUIRE(packet.has_value());
    const auto& prepare = std::get<Prepare>(*packet);
    CHECK(std::to_string(prepare.amount) == text(vector["amount"]));
    CHECK(prepare.destination == text(vector["destination"]));
    CHECK(wire_time(prepare.expires_at) == digits(text(vector["expiresAt"])));
    CHECK(to_hex(prepare.condition) == text(vector["executionCondition"]));
    CHECK(to_hex(prepare.data) == text(vector["data"]));
    Buffer encoded;
    encode(prepare, encoded);
    CHECK(encoded == bytes);
  }
}

TEST_CASE("every fulfill vector decodes to its fields and encodes to its bytes", "[wire]") {
  for (const auto& vector : test::load_vectors("ilp_packet_vectors.json", "fulfill")) {
    const Buffer bytes = from_hex(text(vector["binary"]));
    const auto packet = decode_packet(bytes);
    REQUIRE(packet.has_value());
    const auto& fulfill = std::get<Fulfill>(*packet);
    CHECK(to_hex(fulfill.fulfillment) == text(vector["fulfillment"]));
    CHECK(to_hex(fulfill.data) == text(vector["data"]));
    Buffer encoded;
    encode(fulfill, encoded);
    CHECK(encoded == bytes);
  }
}

TEST_CASE("every reject vector decodes to its fields and encodes to its bytes", "[wire]") {
  for (const auto& vector : test::load_vectors("ilp_packet_vectors.json", "reject")) {
    const Buffer bytes = from_hex(text(vector["binary"]));
    const auto packet = decode_packet(bytes);
    REQUIRE(packet.has_value());
    const auto& reject = std::get<Reject>(*packet);
    CHECK(reject.code == text(vector["code"]));
    CHECK(reject.triggered_by == text(vector["triggeredBy"]));
    CHECK(reject.message == text(vector["message"]));
    CHECK(to_hex(reject.data) == text(vector["data"]));
    Buffer encoded;
    encode(reject, encoded);
    CHECK(encoded == bytes);
  }
}

TEST_CASE("every odd vector is refused, also those the JavaScript library lets pass", "[wire]") {
  const std::map<std::string, std::string> expected{
      {"empty", "packet type: truncated"},
      {"unknown_type_11", "packet type: 11 is not 12, 13 or 14"},
      {"truncated_1", "packet contents: truncated"},
      {"length_leading_zero_82", "packet contents: length not canonical"},
      {"length_indef_80", "packet contents: indefinite length"},
      {"date_day_32", "prepare expiresAt: not a date and time"},
      {"date_hour_24", "prepare expiresAt: not a date and time"},
      {"date_leap_second_60", "prepare expiresAt: not a date and time"},
      {"address_unknown_scheme", "prepare destination: not an ILP address"},
      {"address_len_0", "prepare destination: not an ILP address"},
      {"address_high_bit", "prepare destination: not an ILP address"}};
  for (const auto& vector : test::load_vectors("ilp_packet_vectors.json", "invalid")) {
    INFO(text(vector["name"]));
    CHECK(refusal(from_hex(text(vector["binary"]))) == expected.at(text(vector["name"])));
  }
}

TEST_CASE("a packet cut short anywhere is refused", "[wire]") {
  const auto vectors = test::load_vectors("ilp_packet_vectors.json");
  for (const char* kind : {"prepare", "fulfill", "reject"}) {
    const Buffer bytes = from_hex(text(vectors[kind][1]["binary"]));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CHECK(decode_packet(Bytes(bytes).first(size)).has_error());
    }
  }
}

TEST_CASE("bytes after a complete packet are ignored and trimmed", "[wire]") {
  Buffer bytes = prepare_with("20171223012140549", "test.hub.bob");
  const Buffer whole = bytes;
  bytes.insert(bytes.end(), {1, 2, 3});
  REQUIRE(decode_packet(bytes).has_value());
  const Bytes trimmed = trim_packet(bytes);
  CHECK(Buffer(trimmed.begin(), trimmed.end()) == whole);
}

TEST_CASE("a date that does not exist is refused, a leap day that does is not", "[wire]") {
  CHECK(decode_packet(prepare_with("20240229000000000", "test.hub.bob")).has_value());
  for (const char* expiry : {"20230229000000000", "20171323012140549", "20170023012140549",
                             "20171200012140549", "20171223016040549", "2017122301214054x"}) {
    INFO(expiry);
    CHECK(refusal(prepare_with(expiry, "test.hub.bob")) ==
          "prepare expiresAt: not a date and time");
  }
}

TEST_CASE("amount and expiry are rewritten in place and nothing else changes", "[wire]") {
  for (const auto& vector : test::load_vectors("ilp_packet_vectors.json", "prepare")) {
    Buffer bytes = from_hex(text(vector["binary"]));
    const auto before = decode_packet(bytes);
    REQUIRE(before.has_value());
    Prepare expected = std::get<Prepare>(*before);
    const Buffer data(expected.data.begin(), expected.data.end());
    expected.amount = 12345;
    expected.expires_at = Timestamp{std::chrono::milliseconds(1700000000007)};
    Buffer encoded;
    encode(expected, encoded);
    rewrite_prepare(bytes, expected.amount, expected.expires_at);
    CHECK(bytes == encoded);
  }
}

TEST_CASE("addresses follow RFC 0015", "[wire]") {
  for (const char* good : {"g.a", "test.hub.bob", "test1.x", "test3.x-y_z~0", "private.A", "self.a",
                           "peer.config", "local.host.bob", "example.alice"}) {
    INFO(good);
    CHECK(is_valid_address(good));
  }
  for (const char* bad : {"", "g", "g.", ".a", "g..a", "g.a.", "test4.x", "G.a", "http.a", "g.a b",
                          "g.a/b", "g.\xc3\xa9", "tes.a"}) {
    INFO(bad);
    CHECK_FALSE(is_valid_address(bad));
  }
  CHECK(is_valid_address("g." + std::string(1021, 'a')));
  CHECK_FALSE(is_valid_address("g." + std::string(1022, 'a')));
}
