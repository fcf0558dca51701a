// However a byte stream is cut, the same messages and the same failure come out of it.
#include "wire/websocket_frame.hpp"

#include <cstdlib>
#include <string>

namespace {

using namespace slipway::wire;

// Messages as text, then the failure. `step` bytes arrive at a time.
std::string receive(WebSocketRole role, Bytes stream, std::size_t step) {
  WebSocketDecoder decoder(role, 4096);
  std::string log;
  std::vector<std::uint8_t> buffered;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    const Bytes piece = stream.subspan(at, std::min(step, stream.size() - at));
    buffered.insert(buffered.end(), piece.begin(), piece.end());
    std::span<std::uint8_t> input(buffered);
    while (const auto message = decoder.next(input)) {
      log += std::to_string(static_cast<int>(message->opcode)) + ":";
      log.append(message->payload.begin(), message->payload.end());
      log += ";";
      if (message->payload.size() > 4096) std::abort();
    }
    if (decoder.failure()) return log + decoder.failure()->reason;
    buffered.erase(buffered.begin(), buffered.end() - static_cast<std::ptrdiff_t>(input.size()));
    if (buffered.size() > 4096 + 14) std::abort();
  }
  return log;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const WebSocketRole role = data[0] % 2 == 0 ? WebSocketRole::server : WebSocketRole::client;
  const std::size_t step = 1 + data[1] % 16;
  const Bytes stream(data + 2, size - 2);
  if (receive(role, stream, stream.size() + 1) != receive(role, stream, step)) std::abort();
  return 0;
}
