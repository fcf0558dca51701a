#pragma once

#include "connector/hub.hpp"
#include "connector/link.hpp"
#include "net/http_stream.hpp"

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace slipway::connector {

// An account that packets are POSTed to (ILP-over-HTTP, RFC 0035). A few kept-alive connections,
// one request at a time on each. The answer is the response's body; or, when a `callbackUrl` is
// configured and the peer answers 202, it is POSTed to us later under our Request-Id.
class IlpHttpClient : public Link {
 public:
  IlpHttpClient(Hub& hub, AccountIndex account);
  ~IlpHttpClient() override;

  void send_prepare(std::uint32_t request_id, wire::Bytes packet, std::uint64_t amount,
                    wire::Timestamp expires_at) override;
  void send_reply(std::uint32_t request_id, wire::Bytes packet) override;
  bool congested() const override;

 private:
  struct Job {
    std::uint32_t request_id;
    std::vector<std::uint8_t> packet;
    std::chrono::steady_clock::time_point deadline;
  };

  boost::asio::awaitable<void> work();
  boost::asio::awaitable<void> post(net::HttpStream& stream, const Job& job);
  void fail(const Job& job, std::string_view reason);

  Hub& hub_;
  AccountIndex account_;
  LinkId link_;
  std::deque<Job> queue_;
  std::size_t queued_ = 0;  // bytes of packets in it
  std::uint32_t workers_ = 0;
  // What those wait on that have nothing to do, the one that was busy last at the end.
  std::vector<boost::asio::steady_timer*> idle_;
};

// The form in which a request id travels as Request-Id, and back; nothing for another form.
std::string format_request_id(std::uint32_t id);
std::optional<std::uint32_t> parse_request_id(std::string_view text);

// One POST of a packet to a peer on a connection of its own; the outcome matters to nobody but the
// log. For answers to requests that named a Callback-Url.
boost::asio::awaitable<void> post_answer(Hub& hub, AccountIndex account, PeerUrl url,
                                         std::string request_id, std::vector<std::uint8_t> packet);

}  // namespace slipway::connector
