#pragma once

#include "packet_bench/target/http_response.hpp"
#include "packet_bench/target/scheme.hpp"

#include <deque>
#include <string>
#include <vector>

namespace slipway::bench {

extern const Scheme http_scheme;
extern const Scheme ilp_http_scheme;

// One keep-alive connection. `http` counts what its request says is served as fulfilled; `ilp+http`
// (RFC 0035, answered synchronously as real peers do) verifies the Fulfill in a 2xx.
class HttpChannel final : public Channel, private EventSink {
 public:
  explicit HttpChannel(const ChannelParts& parts);

  bool up() const override { return connection_.state() == Connection::State::open; }
  bool well() const override { return up() || resting_; }
  bool can_send() const override { return up() && tickets_.size() < pipeline_; }
  void send(std::uint32_t ticket, std::uint64_t number, wire::Timestamp expires_at) override;
  void flush() override;
  void tick(TimePoint now) override;
  void close() override { connection_.close(); }
  const std::string& failure() const override { return failure_; }
  const std::string& first_refusal() const override { return first_refusal_; }
  std::uint64_t times_up() const override { return times_up_; }

 private:
  void on_events(std::uint32_t epoll_events) override;
  bool read_responses();
  Answer answer_of(const HttpResponse& response) const;
  void note_refusal(const HttpResponse& response);
  void note_refusal(std::string_view text);
  void rest();
  void lost(std::string why);

  bool ilp_;
  bool to_head_;  // answers have no body
  ServedCheck served_;
  std::size_t pipeline_;
  std::string head_;     // up to the body; ILP lacks the length of the body, which is fixed
  std::string request_;  // http: the whole of it
  Address address_;
  PrepareTemplate& prepare_;
  std::uint64_t seed_;
  ChannelEvents& events_;
  Connection connection_;
  std::deque<std::uint32_t> tickets_;
  std::string failure_;
  std::string first_refusal_;
  std::uint64_t times_up_ = 0;
  bool was_up_ = false;
  bool resting_ = false;  // closed after all was answered, and not opened again yet
  TimePoint next_attempt_{};
  std::chrono::nanoseconds backoff_{0};
};

}  // namespace slipway::bench
