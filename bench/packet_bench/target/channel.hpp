#pragma once

#include "packet_bench/common/clock.hpp"
#include "wire/ilp_packet.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::bench {

class Channel;

// What came back for a ticket.
struct Answer {
  enum class Kind { fulfilled, accepted, rejected, failed };
  Kind kind;
  wire::Bytes fulfillment = {};         // fulfilled: 32 bytes, to be verified
  std::string_view code = {};           // rejected: the ILP code, or the HTTP status
  std::optional<TimePoint> began = {};  // when its first byte arrived, where that is told apart
};

// How long a connection took to come about.
struct Opening {
  std::chrono::nanoseconds connect{0};
  std::optional<std::chrono::nanoseconds> tls;  // the handshake after it
};

// A connection of a channel that was lost.
struct Loss {
  std::uint8_t link = 0;    // Channel::link() of what was sent on it
  bool unanswered = false;  // something was sent on it that was not answered
  const std::string& why;
};

// What a channel tells its owner, on the loop's thread.
class ChannelEvents {
 public:
  virtual ~ChannelEvents() = default;
  // Bytes arrived at this time, which may be a while ago; the answers in them follow.
  virtual void on_input(TimePoint arrived) = 0;
  // `ticket` as it was sent; HTTP has none and hands back the oldest one's.
  virtual void on_answer(Channel& channel, std::uint32_t ticket, const Answer& answer) = 0;
  // A connection can be used from now on.
  virtual void on_up(const Opening& opening) = 0;
  // A connection was lost: nothing that was sent on it will be answered any more.
  virtual void on_down(Channel& channel, const Loss& loss) = 0;
};

// One connection to the target on which packets are sent.
class Channel {
 public:
  virtual ~Channel() = default;

  virtual bool up() const = 0;
  // Up, or closed by the other side when it had answered everything.
  virtual bool well() const { return up(); }
  // Whether one more packet may be sent now.
  virtual bool can_send() const = 0;
  virtual void send(std::uint32_t ticket, std::uint64_t number, wire::Timestamp expires_at) = 0;
  virtual void flush() = 0;
  // To be called in every turn of the loop while it is needed: it connects.
  virtual void tick(TimePoint now) = 0;
  virtual bool needs_tick() const { return !up(); }
  // Which of its connections a packet goes out on now, where it may have one beside another.
  virtual std::uint8_t link() const { return 0; }
  virtual void close() = 0;
  virtual const std::string& failure() const = 0;
  // The first answer that was not as wanted, fit to be shown; empty where all were, or are counted
  // by a code that says it all.
  virtual const std::string& first_refusal() const {
    static const std::string none;
    return none;
  }
  virtual std::uint64_t times_up() const = 0;
  // Whether it knows when an answer arrived also when it is read later.
  virtual bool stamps_arrivals() const { return false; }

  std::uint16_t index = 0;  // the owner's
};

}  // namespace slipway::bench
