#include "wire/btp_frame.hpp"

#include "wire/oer.hpp"
#include "wire/timestamp.hpp"

#include <boost/assert.hpp>
#include <fmt/core.h>

namespace slipway::wire {
namespace {

constexpr std::size_t max_body = std::size_t{1} << 20;
constexpr std::size_t max_name = 255;
// One sub-protocol, "ilp", octets: what comes before its data.
constexpr std::array<std::uint8_t, 7> ilp_preamble{1, 1, 3, 'i', 'l', 'p', 0};

void read_sub_protocols(oer::Reader& in, BtpFrame& frame) {
  const std::uint64_t count = in.read_var_uint("btp sub-protocol count");
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    const std::string_view name = in.read_text("btp sub-protocol name", max_name);
    const std::uint8_t content_type = in.read_u8("btp sub-protocol content type");
    if (content_type > 2) in.fail("btp sub-protocol content type", "not 0, 1 or 2");
    const Bytes data = in.read_var("btp sub-protocol data", max_body);
    if (frame.sub_protocol_count < BtpFrame::max_sub_protocols && !in.failed()) {
      frame.sub_protocol_storage[frame.sub_protocol_count++] = {
          name, static_cast<ContentType>(content_type), data};
    }
  }
}

void read_error_fields(oer::Reader& in, BtpFrame& frame) {
  const Bytes code = in.read_fixed("btp error code", 3);
  frame.error_code = {reinterpret_cast<const char*>(code.data()), code.size()};
  frame.error_name = in.read_text("btp error name", max_name);
  frame.error_triggered_at = in.read_text("btp error triggeredAt", max_name);
  frame.error_data = in.read_var("btp error data", max_body);
}

// The header up to the body, whose size is known beforehand so that nothing is moved afterwards.
std::uint8_t* begin_frame(BtpType type, std::uint32_t request_id, std::size_t body,
                          std::vector<std::uint8_t>& out) {
  std::uint8_t* at = oer::extend(out, 5 + oer::var_size(body));
  at = oer::put_u32(oer::put_u8(at, static_cast<std::uint8_t>(type)), request_id);
  return oer::put_length(at, body);
}

std::size_t var_uint_size(std::uint64_t value) {
  return value == 0 ? 1 : (static_cast<std::size_t>(std::bit_width(value)) + 7) / 8;
}

std::uint8_t* put_var_uint(std::uint8_t* at, std::uint64_t value) {
  const std::size_t size = var_uint_size(value);
  at = oer::put_length(at, size);
  for (std::size_t i = size; i > 0; --i) {
    at = oer::put_u8(at, static_cast<std::uint8_t>(value >> (8 * (i - 1))));
  }
  return at;
}

std::size_t sub_protocols_size(std::span<const SubProtocol> sub_protocols) {
  std::size_t size = 1 + var_uint_size(sub_protocols.size());
  for (const SubProtocol& entry : sub_protocols) {
    size += oer::var_size(entry.name.size()) + 1 + oer::var_size(entry.data.size());
  }
  return size;
}

std::uint8_t* put_sub_protocols(std::uint8_t* at, std::span<const SubProtocol> sub_protocols) {
  at = put_var_uint(at, sub_protocols.size());
  for (const SubProtocol& entry : sub_protocols) {
    at = oer::put_var(at, oer::as_bytes(entry.name));
    at = oer::put_u8(at, static_cast<std::uint8_t>(entry.content_type));
    at = oer::put_var(at, entry.data);
  }
  return at;
}

}  // namespace

const SubProtocol* BtpFrame::find(std::string_view name) const {
  for (const SubProtocol& entry : sub_protocols()) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

Result<BtpFrame> decode_btp_frame(Bytes bytes) {
  Result<BtpFrame> result{boost::system::in_place_value};
  BtpFrame& frame = *result;
  oer::Reader header(bytes);
  const std::uint8_t type = header.read_u8("btp type");
  if (!header.failed() && type != 1 && type != 2 && type != 6 && type != 7) {
    return Error{ErrorKind::protocol, fmt::format("btp type: {} is not 1, 2, 6 or 7", type), {}};
  }
  frame.type = static_cast<BtpType>(type);
  frame.request_id = header.read_u32("btp request id");
  oer::Reader body(header.read_var("btp body", max_body));
  if (header.failed()) return Error{ErrorKind::protocol, header.failure(), {}};
  if (frame.type == BtpType::transfer) frame.transfer_amount = body.read_u64("btp transfer amount");
  if (frame.type == BtpType::error) read_error_fields(body, frame);
  read_sub_protocols(body, frame);
  if (body.failed()) return Error{ErrorKind::protocol, body.failure(), {}};
  return result;
}

void encode_btp(BtpType response_or_message, std::uint32_t request_id,
                std::span<const SubProtocol> sub_protocols, std::vector<std::uint8_t>& out) {
  std::uint8_t* at =
      begin_frame(response_or_message, request_id, sub_protocols_size(sub_protocols), out);
  put_sub_protocols(at, sub_protocols);
}

void encode_btp_error(std::uint32_t request_id, std::string_view code, std::string_view name,
                      Timestamp triggered_at, Bytes data, std::vector<std::uint8_t>& out) {
  BOOST_ASSERT(code.size() == 3);
  const std::size_t body = 3 + oer::var_size(name.size()) + oer::var_size(generalized_time_size) +
                           oer::var_size(data.size()) + sub_protocols_size({});
  std::uint8_t* at = begin_frame(BtpType::error, request_id, body, out);
  at = oer::put_bytes(at, oer::as_bytes(code));
  at = oer::put_var(at, oer::as_bytes(name));
  at = oer::put_length(at, generalized_time_size);
  format_generalized_time(triggered_at, at);
  at = oer::put_var(at + generalized_time_size, data);
  put_sub_protocols(at, {});
}

std::size_t btp_ilp_size(std::size_t packet_size) {
  return 5 + oer::var_size(ilp_preamble.size() + oer::var_size(packet_size));
}

void encode_btp_ilp(BtpType response_or_message, std::uint32_t request_id, Bytes packet,
                    std::vector<std::uint8_t>& out) {
  std::uint8_t* at = begin_frame(response_or_message, request_id,
                                 ilp_preamble.size() + oer::var_size(packet.size()), out);
  oer::put_var(oer::put_bytes(at, ilp_preamble), packet);
}

}  // namespace slipway::wire
