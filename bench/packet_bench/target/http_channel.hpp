#pragma once

#include "packet_bench/target/http_response.hpp"
#include "packet_bench/target/scheme.hpp"

#include <deque>
#include <optional>
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
  bool can_send() const override { return up() && sent_.size() < pipeline_; }
  void send(std::uint32_t ticket, std::uint64_t number, wire::Timestamp expires_at) override;
  void flush() override;
  void tick(TimePoint now) override;
  void close() override { connection_.close(); }
  const std::string& failure() const override { return failure_; }
  const std::string& first_refusal() const override { return first_refusal_; }
  std::uint64_t times_up() const override { return times_up_; }
  // The kernel joins what waits to be read, and has one stamp for it: the last one's.
  bool stamps_arrivals() const override { return pipeline_ == 1 && connection_.stamps_arrivals(); }

 private:
  void on_events(std::uint32_t epoll_events) override;
  bool read_responses();
  Answer answer_of(const HttpResponse& response) const;
  void note_refusal(const HttpResponse& response);
  void note_refusal(std::string_view text);
  void rest();
  void lost(std::string why);

  // A request as it is sent, and how often: up to which share of all.
  struct Request {
    std::string text;
    bool head = false;  // its answer has no body
    double up_to = 1;
  };
  struct Sent {
    std::uint32_t ticket;
    bool head;
  };
  void make_requests(const Target& target, const HttpRequest& request);
  const Request& request_of(std::uint64_t number) const;

  bool ilp_;
  ServedCheck served_;
  std::size_t pipeline_;
  std::string head_;               // ilp: up to the length of the body
  std::vector<Request> requests_;  // http
  Address address_;
  PrepareTemplate* prepare_;  // nothing: the web
  std::uint64_t seed_;
  ChannelEvents& events_;
  Connection connection_;
  std::deque<Sent> sent_;
  std::string failure_;
  std::string first_refusal_;
  std::uint64_t times_up_ = 0;
  std::optional<TimePoint> began_;  // when the first byte of the answer being read arrived
  bool was_up_ = false;
  bool resting_ = false;  // closed after all was answered, and not opened again yet
  TimePoint next_attempt_{};
  std::chrono::nanoseconds backoff_{0};
};

}  // namespace slipway::bench
