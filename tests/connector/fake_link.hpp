#pragma once

#include "connector/link.hpp"

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace slipway::connector::test {

// A link that remembers what was sent on it.
class FakeLink : public Link {
 public:
  struct SentPrepare {
    std::uint32_t request_id;
    std::vector<std::uint8_t> packet;
    std::uint64_t amount;
    wire::Timestamp expires_at;
  };
  struct SentReply {
    std::uint32_t request_id;
    std::vector<std::uint8_t> packet;

    // "fulfilled", or the reject's code.
    std::string outcome() const {
      const auto decoded = wire::decode_packet(packet);
      if (!decoded) return "unreadable";
      if (std::holds_alternative<wire::Fulfill>(*decoded)) return "fulfilled";
      return std::string(std::get<wire::Reject>(*decoded).code);
    }
  };

  explicit FakeLink(LinkTable& links) : links_(links), id(links.add(*this)) {}
  ~FakeLink() override { links_.remove(id); }

  void send_prepare(std::uint32_t request_id, wire::Bytes packet, std::uint64_t amount,
                    wire::Timestamp expires_at) override {
    prepares.push_back({request_id, {packet.begin(), packet.end()}, amount, expires_at});
  }
  void send_reply(std::uint32_t request_id, wire::Bytes packet) override {
    replies.push_back({request_id, {packet.begin(), packet.end()}});
  }
  bool congested() const override { return full; }

 private:
  LinkTable& links_;

 public:
  LinkId id;
  bool full = false;
  std::vector<SentPrepare> prepares;
  std::vector<SentReply> replies;
};

}  // namespace slipway::connector::test
