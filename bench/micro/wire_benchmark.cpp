// Encoding and decoding, per packet.
#include "micro/iterations.hpp"
#include "wire/btp_frame.hpp"
#include "wire/ilp_packet.hpp"
#include "wire/websocket_frame.hpp"

#include <benchmark/benchmark.h>

namespace {

using namespace slipway::wire;

const std::array<std::uint8_t, 32> condition{1, 2, 3};
const std::vector<std::uint8_t> data(64, 0xab);
const Timestamp expiry{std::chrono::milliseconds(1'700'000'000'123)};
const Prepare prepare{1000, expiry, condition, "test.slipway.bob.invoice-1234567", data};

std::vector<std::uint8_t> encoded_prepare() {
  std::vector<std::uint8_t> bytes;
  encode(prepare, bytes);
  return bytes;
}

void encode_prepare(benchmark::State& state) {
  std::vector<std::uint8_t> out;
  for (auto _ : state) {
    out.clear();
    encode(prepare, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(encode_prepare)->Apply(counted);

void decode_prepare(benchmark::State& state) {
  const auto bytes = encoded_prepare();
  for (auto _ : state) benchmark::DoNotOptimize(decode_packet(bytes));
}
BENCHMARK(decode_prepare)->Apply(counted);

void decode_fulfill(benchmark::State& state) {
  std::vector<std::uint8_t> bytes;
  encode(Fulfill{condition, {}}, bytes);
  for (auto _ : state) benchmark::DoNotOptimize(decode_packet(bytes));
}
BENCHMARK(decode_fulfill)->Apply(counted);

void rewrite_amount_and_expiry(benchmark::State& state) {
  auto bytes = encoded_prepare();
  for (auto _ : state) {
    rewrite_prepare(bytes, 999, expiry);
    benchmark::DoNotOptimize(bytes.data());
  }
}
BENCHMARK(rewrite_amount_and_expiry)->Apply(counted);

void encode_btp_message(benchmark::State& state) {
  const auto packet = encoded_prepare();
  std::vector<std::uint8_t> out;
  for (auto _ : state) {
    out.clear();
    encode_btp_ilp(BtpType::message, 7, packet, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(encode_btp_message)->Apply(counted);

void decode_btp_message(benchmark::State& state) {
  std::vector<std::uint8_t> bytes;
  encode_btp_ilp(BtpType::message, 7, encoded_prepare(), bytes);
  for (auto _ : state) benchmark::DoNotOptimize(decode_btp_frame(bytes));
}
BENCHMARK(decode_btp_message)->Apply(counted);

// 64 masked frames out of one read, as a server sees them; time and bytes are of all 64.
void decode_websocket_frames(benchmark::State& state) {
  std::vector<std::uint8_t> payload;
  encode_btp_ilp(BtpType::message, 7, encoded_prepare(), payload);
  std::vector<std::uint8_t> stream;
  for (int i = 0; i < 64; ++i) {
    // Unmasking twice gives the first bytes again: what is measured does not depend on them.
    encode_frame(WebSocketRole::client, WebSocketOpcode::binary, payload, 0x01020304, stream);
  }
  WebSocketDecoder decoder(WebSocketRole::server, 65536);
  for (auto _ : state) {
    std::span<std::uint8_t> input(stream);
    while (const auto message = decoder.next(input)) {
      benchmark::DoNotOptimize(message->payload.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * 64);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(stream.size()));
}
BENCHMARK(decode_websocket_frames)->Apply(counted);

void validate_address(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(is_valid_address(prepare.destination));
}
BENCHMARK(validate_address)->Apply(counted);

}  // namespace
