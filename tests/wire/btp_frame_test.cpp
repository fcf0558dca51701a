#include "wire/btp_frame.hpp"

#include "support/catch.hpp"
#include "support/hex.hpp"
#include "wire/vectors.hpp"

using namespace slipway;
using namespace slipway::wire;
using test::from_hex;
using test::to_hex;

namespace {

using Buffer = std::vector<std::uint8_t>;

std::string text(const nlohmann::json& value) {
  return value.get<std::string>();
}

// The sub-protocols of a vector, with what they point into.
struct OwnedSubProtocols {
  explicit OwnedSubProtocols(const nlohmann::json& list) {
    for (const auto& entry : list) {
      names.push_back(text(entry[0]));
      data.push_back(from_hex(text(entry[2])));
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      views.push_back({names[i], static_cast<ContentType>(list[i][1].get<int>()), data[i]});
    }
  }
  std::vector<std::string> names;
  std::vector<Buffer> data;
  std::vector<SubProtocol> views;
};

Buffer encode_vector(const nlohmann::json& vector) {
  Buffer out;
  const auto request_id = vector["requestId"].get<std::uint32_t>();
  if (vector["type"] == 2) {
    // `date -u -d 2026-11-23T16:00:00.001Z +%s%3N` says 1795449600001
    const Timestamp triggered_at{std::chrono::milliseconds(1795449600001)};
    const std::string data = text(vector["data"]);
    encode_btp_error(request_id, text(vector["code"]), text(vector["errName"]), triggered_at,
                     {reinterpret_cast<const std::uint8_t*>(data.data()), data.size()}, out);
  } else {
    const OwnedSubProtocols sub_protocols(vector["protocolData"]);
    encode_btp(static_cast<BtpType>(vector["type"].get<int>()), request_id, sub_protocols.views,
               out);
  }
  return out;
}

std::string refusal(std::string_view hex) {
  const Buffer bytes = from_hex(hex);
  const auto frame = decode_btp_frame(bytes);
  REQUIRE(frame.has_error());
  CHECK(frame.error().kind == ErrorKind::protocol);
  return frame.error().what;
}

}  // namespace

TEST_CASE("every BTP vector encodes to its bytes", "[wire]") {
  for (const auto& vector : test::load_vectors("btp_vectors.json")) {
    INFO(text(vector["name"]));
    CHECK(to_hex(encode_vector(vector)) == text(vector["binary"]));
  }
}

TEST_CASE("every BTP vector decodes to its fields", "[wire]") {
  for (const auto& vector : test::load_vectors("btp_vectors.json")) {
    INFO(text(vector["name"]));
    const Buffer bytes = from_hex(text(vector["binary"]));
    const auto frame = decode_btp_frame(bytes);
    REQUIRE(frame.has_value());
    CHECK(static_cast<int>(frame->type) == vector["type"].get<int>());
    CHECK(frame->request_id == vector["requestId"].get<std::uint32_t>());
    const auto& expected = vector["protocolData"];
    REQUIRE(frame->sub_protocols().size() ==
            std::min(expected.size(), BtpFrame::max_sub_protocols));
    for (std::size_t i = 0; i < frame->sub_protocols().size(); ++i) {
      const SubProtocol& entry = frame->sub_protocols()[i];
      CHECK(entry.name == text(expected[i][0]));
      CHECK(static_cast<int>(entry.content_type) == expected[i][1].get<int>());
      CHECK(to_hex(entry.data) == text(expected[i][2]));
    }
    if (vector["type"] == 2) {
      CHECK(frame->error_code == text(vector["code"]));
      CHECK(frame->error_name == text(vector["errName"]));
      CHECK(frame->error_triggered_at == "20261123160000.001Z");
      CHECK(std::string(frame->error_data.begin(), frame->error_data.end()) ==
            text(vector["data"]));
    }
  }
}

TEST_CASE("a message with only an ILP packet is the general form of it", "[wire]") {
  for (const std::size_t size : {0, 1, 100, 118, 119, 127, 128, 255, 256, 33000}) {
    const Buffer packet(size, 0xab);
    const SubProtocol ilp{"ilp", ContentType::octets, packet};
    Buffer general;
    encode_btp(BtpType::message, 77, {&ilp, 1}, general);
    Buffer fast;
    encode_btp_ilp(BtpType::message, 77, packet, fast);
    CHECK(fast == general);
    CHECK(btp_ilp_size(size) == general.size());
  }
}

TEST_CASE("the auth frame a JavaScript peer sends is understood", "[wire]") {
  const Buffer bytes = from_hex(
      "0656ebb87e2e0103046175746800000a617574685f746f6b656e0103746f6b0d617574685f757365726e616d65"
      "0105616c696365");
  const auto frame = decode_btp_frame(bytes);
  REQUIRE(frame.has_value());
  REQUIRE(frame->find("auth") != nullptr);
  CHECK(frame->find("auth")->data.empty());
  REQUIRE(frame->find("auth_token") != nullptr);
  CHECK(to_hex(frame->find("auth_token")->data) == "746f6b");
  CHECK(frame->find("ilp") == nullptr);
}

TEST_CASE("a transfer carries an amount", "[wire]") {
  const Buffer bytes = from_hex("07000000010a00000000000000640100");
  const auto frame = decode_btp_frame(bytes);
  REQUIRE(frame.has_value());
  CHECK(frame->type == BtpType::transfer);
  CHECK(frame->transfer_amount == 100);
}

TEST_CASE("a BTP frame that is wrong is refused by the name of the field", "[wire]") {
  CHECK(refusal("") == "btp type: truncated");
  CHECK(refusal("0300000000020100") == "btp type: 3 is not 1, 2, 6 or 7");
  CHECK(refusal("060000") == "btp request id: truncated");
  CHECK(refusal("0600000001030100") == "btp body: truncated");
  CHECK(refusal("060000000181020100") == "btp body: length not canonical");
  CHECK(refusal("060000000100") == "btp sub-protocol count: truncated");
  CHECK(refusal("06000000010100") == "btp sub-protocol count: integer not canonical");
  CHECK(refusal("060000000103020001") == "btp sub-protocol count: integer not canonical");
  CHECK(refusal("0600000001020101") == "btp sub-protocol name: truncated");
  CHECK(refusal("06000000010601010161"
                "0300") == "btp sub-protocol content type: not 0, 1 or 2");
  CHECK(refusal("0600000001060101016100"
                "05") == "btp sub-protocol data: truncated");
  CHECK(refusal("0200000001024630") == "btp error code: truncated");
}

TEST_CASE("a count of sub-protocols that cannot be there ends with the bytes", "[wire]") {
  CHECK(refusal("060000000109"
                "08ffffffffffffffff") == "btp sub-protocol name: truncated");
}
