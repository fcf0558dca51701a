#include "net/http_stream.hpp"

#include "net/await.hpp"

#include <cstring>
#include <fcntl.h>
#include <memory>
#include <optional>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace slipway::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;

namespace {

using Body = http::vector_body<std::uint8_t>;
using QueryParser = http::request_parser<Body>;
using ReplyParser = http::response_parser<Body>;

std::string text_of(beast::string_view text) {
  return {text.data(), text.size()};
}

beast::string_view view_of(std::string_view text) {
  return {text.data(), text.size()};
}

template <bool is_request>
void take_fields(http::message<is_request, Body>& from, HttpMessage& to) {
  to.keep_alive = from.keep_alive();
  for (const auto& field : from) {
    to.fields.push_back({text_of(field.name_string()), text_of(field.value())});
  }
  to.body = std::move(from.body());
}

template <bool is_request>
void put_fields(HttpMessage& from, http::message<is_request, Body>& to) {
  for (const HttpField& field : from.fields) to.set(view_of(field.name), view_of(field.value));
  to.keep_alive(from.keep_alive);
  to.body() = std::move(from.body);
  to.prepare_payload();
}

}  // namespace

std::string_view HttpMessage::field(std::string_view name) const {
  for (const HttpField& each : fields) {
    if (beast::iequals(view_of(each.name), view_of(name))) return each.value;
  }
  return {};
}

bool is_end_of_connection(boost::system::error_code failed) {
  return failed == http::error::end_of_stream || failed == asio::error::operation_aborted;
}

std::string reason_of(boost::system::error_code failed) {
  if (failed == beast::error::timeout) return "not in time";
  if (failed == http::error::body_limit) return "body over the size limit";
  if (failed == http::error::header_limit || failed == http::error::buffer_overflow) {
    return "header over the size limit";
  }
  return failed.message();
}

struct HttpStream::State {
  explicit State(tcp::socket socket, HttpLimits allowed)
      : websocket(std::move(socket)), limits(allowed), buffer(allowed.header + allowed.body) {}

  beast::tcp_stream& connection() { return websocket.next_layer(); }
  QueryParser& parser() {
    if (!query) {
      query.emplace();
      query->header_limit(static_cast<std::uint32_t>(limits.header));
      query->body_limit(limits.body);
    }
    return *query;
  }

  // No compression, although JavaScript peers offer it: it costs both sides more than it saves.
  websocket::stream<beast::tcp_stream, false> websocket;
  HttpLimits limits;
  beast::flat_buffer buffer;
  std::optional<QueryParser> query;  // of the request that is being read
  NameLookup lookup = &look_up;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

HttpStream::HttpStream(const tcp::socket::executor_type& executor, HttpLimits limits,
                       NameLookup lookup)
    : HttpStream(tcp::socket(executor), limits) {
  state_->lookup = lookup;
}
HttpStream::HttpStream(tcp::socket socket, HttpLimits limits)
    : state_(std::make_unique<State>(std::move(socket), limits)) {}
HttpStream::~HttpStream() = default;

void HttpStream::expires_after(std::chrono::nanoseconds time) {
  expires_at(std::chrono::steady_clock::now() +
             std::chrono::duration_cast<std::chrono::steady_clock::duration>(time));
}

void HttpStream::expires_at(std::chrono::steady_clock::time_point when) {
  state_->connection().expires_at(when);
  state_->deadline = when;
}

void HttpStream::expires_never() {
  state_->connection().expires_never();
  state_->deadline = std::chrono::steady_clock::time_point::max();
}

void HttpStream::close() {
  state_->connection().close();
}

bool HttpStream::is_open() const {
  return state_->connection().socket().is_open();
}

bool HttpStream::has_unread() {
  Failure failed;
  return state_->connection().socket().available(failed) > 0;
}

asio::awaitable<HttpStream::Failure> HttpStream::read_head() {
  const auto [failed, size] = co_await http::async_read_header(state_->connection(), state_->buffer,
                                                               state_->parser(), await_tuple);
  co_return failed;
}

bool HttpStream::wants_websocket() const {
  return state_->query && websocket::is_upgrade(state_->query->get());
}

asio::awaitable<HttpStream::Failure> HttpStream::accept_websocket(
    std::chrono::nanoseconds timeout) {
  state_->websocket.set_option(websocket::stream_base::timeout{
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(timeout),
      websocket::stream_base::none(), false});
  const auto [refused] = co_await state_->websocket.async_accept(state_->query->get(), await_tuple);
  co_return refused;
}

asio::awaitable<std::pair<HttpStream::Failure, HttpQuery>> HttpStream::read_query() {
  HttpQuery query;
  const auto [failed, size] = co_await http::async_read(state_->connection(), state_->buffer,
                                                        state_->parser(), await_tuple);
  if (failed) co_return std::pair(failed, std::move(query));
  auto message = state_->query->release();
  query.method = text_of(message.method_string());
  query.target = text_of(message.target());
  take_fields(message, query);
  state_->query.reset();
  co_return std::pair(failed, std::move(query));
}

bool HttpStream::query_had_begun() const {
  return state_->query && state_->query->is_header_done();
}

asio::awaitable<HttpStream::Failure> HttpStream::write(HttpReply reply, bool head_only) {
  http::response<Body> message(http::int_to_status(reply.status), 11);
  put_fields(reply, message);
  if (head_only) message.body().clear();
  const auto [failed, size] =
      co_await http::async_write(state_->connection(), message, await_tuple);
  co_return failed;
}

// Asio's own resolver heeds no deadline, and what it looks up is waited for when its context ends.
asio::awaitable<HttpStream::Failure> HttpStream::resolve(const std::string& host,
                                                         std::uint16_t port,
                                                         std::vector<tcp::endpoint>& endpoints) {
  auto lookup = PendingLookup::begin(host, port, state_->lookup);
  if (!lookup) co_return asio::error::no_descriptors;
  const auto executor = state_->connection().get_executor();
  // Also of the timer's handler, which may come when the answer is there and nobody is here.
  const auto answered = std::make_shared<asio::posix::stream_descriptor>(
      executor, ::fcntl(lookup->fd(), F_DUPFD_CLOEXEC, 0));
  asio::steady_timer over(executor, state_->deadline);
  over.async_wait([answered](Failure ended) {
    if (!ended) answered->cancel();
  });
  const auto [unanswered] =
      co_await answered->async_wait(asio::posix::stream_descriptor::wait_read, await_tuple);
  over.cancel();
  if (unanswered) co_return beast::error::timeout;
  const auto addresses = lookup->take();
  if (!addresses) co_return asio::error::host_not_found;
  for (const std::vector<std::uint8_t>& each : *addresses) {
    tcp::endpoint endpoint;
    if (each.size() > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), each.data(), each.size());
    endpoint.resize(each.size());
    endpoints.push_back(endpoint);
  }
  co_return Failure();
}

asio::awaitable<HttpStream::Failure> HttpStream::connect(const std::string& host,
                                                         std::uint16_t port) {
  std::vector<tcp::endpoint> endpoints;
  if (const auto unresolved = co_await resolve(host, port, endpoints)) co_return unresolved;
  const auto [failed, endpoint] =
      co_await state_->connection().async_connect(endpoints, await_tuple);
  Failure ignored;
  if (!failed) state_->connection().socket().set_option(tcp::no_delay(true), ignored);
  co_return failed;
}

asio::awaitable<HttpStream::Failure> HttpStream::write(HttpQuery query) {
  http::request<Body> message;
  message.method_string(view_of(query.method));
  message.target(view_of(query.target));
  message.version(11);
  put_fields(query, message);
  const auto [failed, size] =
      co_await http::async_write(state_->connection(), message, await_tuple);
  co_return failed;
}

asio::awaitable<std::pair<HttpStream::Failure, HttpReply>> HttpStream::read_reply() {
  HttpReply reply;
  state_->buffer.clear();
  ReplyParser parser;
  parser.header_limit(static_cast<std::uint32_t>(state_->limits.header));
  parser.body_limit(state_->limits.body);
  const auto [failed, size] =
      co_await http::async_read(state_->connection(), state_->buffer, parser, await_tuple);
  if (failed) co_return std::pair(failed, std::move(reply));
  auto message = parser.release();
  reply.status = message.result_int();
  take_fields(message, reply);
  co_return std::pair(failed, std::move(reply));
}

asio::awaitable<HttpStream::Failure> HttpStream::shake_websocket_hands(const std::string& host,
                                                                       const std::string& path) {
  const auto [refused] = co_await state_->websocket.async_handshake(host, path, await_tuple);
  co_return refused;
}

std::span<const std::uint8_t> HttpStream::unparsed() const {
  const auto bytes = state_->buffer.cdata();
  return {static_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

tcp::socket HttpStream::release() {
  return state_->connection().release_socket();
}

}  // namespace slipway::net
