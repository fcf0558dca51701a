#include "packet_bench/target/http_channel.hpp"

#include "base/base64.hpp"
#include "base/foreign_text.hpp"
#include "packet_bench/common/schedule.hpp"
#include "packet_bench/target/backoff.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_refusal = 120;  // each part of it that is shown

// With a user's name it is RFC 7617, a token alone is RFC 6750; ILP's peers know only the latter.
std::string authorization_of(const Target& target, bool ilp) {
  if (target.username.empty() || ilp) {
    if (target.token.empty()) return {};
    return fmt::format("Authorization: Bearer {}\r\n", target.token);
  }
  const std::string pair = target.username + ":" + target.token;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(pair.data());
  return fmt::format("Authorization: Basic {}\r\n", base64({bytes, pair.size()}));
}

std::string head_of(const Target& target, const HttpRequest& request, bool ilp,
                    std::string_view method, std::string_view path) {
  std::string head = fmt::format("{} {} HTTP/1.1\r\n", method, path);
  if (!request.has_header("host")) head += fmt::format("Host: {}\r\n", host_field(target));
  if (!request.has_header("authorization")) head += authorization_of(target, ilp);
  if (ilp) head += "Content-Type: application/octet-stream\r\n";
  for (const std::string& header : request.headers) head += header + "\r\n";
  return head;
}

}  // namespace

const Scheme ilp_http_scheme{.name = "ilp+http",
                             .tls_name = "ilp+https",
                             .example = "ilp+http://...",
                             .pays = true,
                             .requests = true,
                             .make = make_channel<HttpChannel>};
const Scheme http_scheme{.name = "http",
                         .tls_name = "https",
                         .example = "http://...",
                         .requests = true,
                         .make = make_channel<HttpChannel>};

HttpChannel::HttpChannel(const ChannelParts& parts)
    : ilp_(parts.target.scheme->pays),
      served_(parts.http.served),
      pipeline_(parts.http.pipeline),
      address_(parts.address),
      prepare_(parts.prepare),
      seed_(parts.seed),
      events_(parts.events),
      connection_(parts.poller, *this) {
  if (ilp_) {
    head_ = head_of(parts.target, parts.http, true, "POST", parts.target.path);
  } else {
    make_requests(parts.target, parts.http);
  }
}

void HttpChannel::make_requests(const Target& target, const HttpRequest& request) {
  const std::vector<HttpRequest::Part> alone{{1, request.method, target.path}};
  const std::vector<HttpRequest::Part>& all = request.parts.empty() ? alone : request.parts;
  double sum = 0;
  for (const HttpRequest::Part& part : all) {
    const bool head = part.method == "HEAD";
    const bool bare = part.method == "GET" || head || part.method == "DELETE";
    // Of several the body is for those that change something; a single one is as it was asked for.
    const std::string& body = bare && !request.parts.empty() ? std::string() : request.body;
    std::string text = head_of(target, request, false, part.method, part.path);
    if (!body.empty() || !(part.method == "GET" || head)) {
      text += fmt::format("Content-Length: {}\r\n", body.size());
    }
    text.append("\r\n").append(body);
    sum += part.weight;
    requests_.push_back({std::move(text), head, sum});
  }
  for (Request& each : requests_) each.up_to /= sum;
  requests_.back().up_to = 1;
}

// The same for the same seed, whatever the number of connections and threads.
const HttpChannel::Request& HttpChannel::request_of(std::uint64_t number) const {
  if (requests_.size() == 1) return requests_.front();
  const double share = static_cast<double>(mixed(mixed(seed_) ^ number) >> 11) * 0x1p-53;
  return *std::upper_bound(requests_.begin(), requests_.end() - 1, share,
                           [](double value, const Request& each) { return value < each.up_to; });
}

void HttpChannel::tick(TimePoint now) {
  connection_.hurry(now);
  if (connection_.state() != Connection::State::closed || now < next_attempt_) return;
  connection_.open(address_);
  if (connection_.state() == Connection::State::closed) lost(connection_.failure());
}

void HttpChannel::send(std::uint32_t ticket, std::uint64_t number, wire::Timestamp expires_at) {
  std::vector<std::uint8_t>& out = connection_.out();
  bool head = false;
  if (ilp_) {
    const wire::Bytes packet = prepare_->prepare(preimage_of(seed_, number), expires_at);
    const std::string length = fmt::format("Content-Length: {}\r\n\r\n", packet.size());
    out.insert(out.end(), head_.begin(), head_.end());
    out.insert(out.end(), length.begin(), length.end());
    out.insert(out.end(), packet.begin(), packet.end());
  } else {
    const Request& request = request_of(number);
    out.insert(out.end(), request.text.begin(), request.text.end());
    head = request.head;
  }
  sent_.push_back({ticket, head});
}

void HttpChannel::flush() {
  if (connection_.waiting_bytes() == 0) return;
  connection_.flush();
  if (connection_.state() == Connection::State::closed) lost(connection_.failure());
}

void HttpChannel::on_events(std::uint32_t epoll_events) {
  connection_.handle(epoll_events);
  if (up() && !was_up_) {
    was_up_ = true;
    resting_ = false;
    ++times_up_;
    backoff_ = 0ns;
    failure_.clear();
    began_.reset();
    events_.on_up({connection_.connect_took(), connection_.handshake_took()});
  }
  if (!read_responses() || connection_.state() != Connection::State::closed) return;
  if (was_up_ && sent_.empty() && connection_.input().empty()) {
    rest();
  } else if (was_up_ || failure_.empty()) {
    lost(connection_.failure());
  }
}

// False where it has closed the connection itself.
bool HttpChannel::read_responses() {
  const auto input = connection_.input();
  if (input.empty()) return true;
  events_.on_input(connection_.arrived());
  const bool ended = connection_.state() == Connection::State::closed;
  std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  HttpResponse response;
  if (!began_) began_ = connection_.arrived();
  while (!text.empty()) {
    const bool to_head = !sent_.empty() && sent_.front().head;
    const HttpParse parsed = parse_http_response(text, response, to_head, ended);
    if (parsed == HttpParse::incomplete) break;
    if (parsed == HttpParse::invalid) {
      note_refusal(text);
      lost(std::string(response.fault));
      return false;
    }
    if (sent_.empty()) {
      note_refusal(text);
      lost("it answered a request that was not sent");
      return false;
    }
    const std::uint32_t ticket = sent_.front().ticket;
    sent_.pop_front();
    Answer answer = answer_of(response);
    answer.began = std::exchange(began_, connection_.arrived());
    if (answer.kind == Answer::Kind::rejected || answer.kind == Answer::Kind::failed) {
      note_refusal(response);
    }
    events_.on_answer(*this, ticket, answer);
    text.remove_prefix(response.size);
    if (!response.closes) continue;
    if (sent_.empty()) {
      rest();
    } else {
      lost("closed by the other side after a response");
    }
    return false;
  }
  if (text.empty()) began_.reset();
  connection_.consume(input.size() - text.size());
  if (!ended || text.empty()) return true;
  lost("closed by the other side in the middle of an answer");
  return false;
}

void HttpChannel::note_refusal(std::string_view text) {
  if (first_refusal_.empty()) first_refusal_ = foreign_line(text, longest_refusal);
}

void HttpChannel::note_refusal(const HttpResponse& response) {
  if (!first_refusal_.empty()) return;
  first_refusal_ =
      foreign_line(response.head.substr(0, response.head.find("\r\n")), longest_refusal);
  if (const auto location = response.header("location")) {
    first_refusal_ += "; Location: " + foreign_line(*location, longest_refusal);
  }
  if (response.body.empty()) return;
  const std::string body = response.chunked ? unchunked(response.body) : std::string(response.body);
  first_refusal_ += "; " + foreign_line(body, longest_refusal);
}

Answer HttpChannel::answer_of(const HttpResponse& response) const {
  const std::string_view refusal = served_.refusal(response);
  if (!refusal.empty()) return {Answer::Kind::rejected, {}, refusal};
  if (!ilp_) return {Answer::Kind::accepted};
  const std::string_view body = response.body;
  const auto packet =
      wire::decode_packet({reinterpret_cast<const std::uint8_t*>(body.data()), body.size()});
  if (!packet) return {Answer::Kind::failed};
  if (const auto* fulfill = std::get_if<wire::Fulfill>(&*packet)) {
    return {Answer::Kind::fulfilled, fulfill->fulfillment};
  }
  if (const auto* reject = std::get_if<wire::Reject>(&*packet)) {
    return {Answer::Kind::rejected, {}, reject->code};
  }
  return {Answer::Kind::failed};
}

// The other side has answered all and closed, as servers do after so many answers: nothing is lost.
void HttpChannel::rest() {
  connection_.close();
  was_up_ = false;
  resting_ = true;
  next_attempt_ = TimePoint{};
}

void HttpChannel::lost(std::string why) {
  resting_ = false;
  connection_.close();
  failure_ = std::move(why);
  next_attempt_ = was_up_ ? TimePoint{} : Clock::now() + backoff_;
  backoff_ = backoff_after(backoff_);
  const bool unanswered = !std::exchange(sent_, {}).empty();
  if (!std::exchange(was_up_, false)) return;
  events_.on_down(*this, {0, unanswered, failure_});
}

}  // namespace slipway::bench
