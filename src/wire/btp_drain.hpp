#pragma once

#include "wire/btp_frame.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

// The drain notice: how a BTP server that is being replaced moves its clients to its successor
// without a packet lost. BTP 2.0 (RFC 0023) has no such message; its sub-protocols are where one
// belongs, and nobody sees it who has not asked for it. Numbers are hexadecimal, R the request id.
//
// 1. A client that understands it says so in its auth message, by one more sub-protocol beside
//    `auth` and `auth_token`: name `drain`, octets, empty. Servers that know none ignore it.
//      05 64 72 61 69 6e 00 00
// 2. A server that is about to go sends such clients a Message with that sub-protocol alone, once a
//    new connection to its address reaches its successor:
//      06 RR RR RR RR 0a 01 01 05 64 72 61 69 6e 00 00
// 3. The client opens a second connection and authenticates. Until that is done it goes on as
//    before on the first. From then on all its requests go over the second, and it answers the
//    notice on the first:
//      01 RR RR RR RR 0a 01 01 05 64 72 61 69 6e 00 00
//    which says: no request of mine follows here.
// 4. Both keep the first for what is unanswered there, and the client answers what the server still
//    sends it there. The server closes it (1001) once nothing can follow in either direction. A
//    client may close it earlier only if nothing is unanswered and it is never sent requests.
//
// A client that cannot connect anew does not answer; it is closed in the end as one that knows
// nothing of all this.
namespace slipway::wire {

inline constexpr std::string_view drain_name = "drain";

// The same for all three: an empty sub-protocol.
inline constexpr SubProtocol drain_mark{drain_name, ContentType::octets, {}};

inline bool is_about_drain(const BtpFrame& frame) {
  return frame.find(drain_name) != nullptr;
}

// Appends the notice (`message`) or the answer to it (`response`).
inline void encode_drain(BtpType response_or_message, std::uint32_t request_id,
                         std::vector<std::uint8_t>& out) {
  encode_btp(response_or_message, request_id, {&drain_mark, 1}, out);
}

}  // namespace slipway::wire
