// What decodes stays inside the input; a frame with few enough sub-protocols encodes to something
// that decodes to the same.
#include "wire/btp_frame.hpp"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace slipway::wire;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  const auto frame = decode_btp_frame(input);
  if (!frame) {
    require(!frame.error().what.empty());
    return 0;
  }
  require(frame->sub_protocols().size() <= BtpFrame::max_sub_protocols);
  for (const SubProtocol& entry : frame->sub_protocols()) {
    require(entry.data.empty() ||
            (entry.data.data() >= data && entry.data.data() + entry.data.size() <= data + size));
  }
  if (frame->type != BtpType::message && frame->type != BtpType::response) return 0;
  std::vector<std::uint8_t> encoded;
  encode_btp(frame->type, frame->request_id, frame->sub_protocols(), encoded);
  const auto again = decode_btp_frame(encoded);
  require(again.has_value() && again->request_id == frame->request_id);
  require(again->sub_protocols().size() == frame->sub_protocols().size());
  for (std::size_t i = 0; i < again->sub_protocols().size(); ++i) {
    const SubProtocol& a = frame->sub_protocols()[i];
    const SubProtocol& b = again->sub_protocols()[i];
    require(a.name == b.name && a.content_type == b.content_type &&
            std::equal(a.data.begin(), a.data.end(), b.data.begin(), b.data.end()));
  }
  return 0;
}
