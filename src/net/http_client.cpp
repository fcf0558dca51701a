#include "net/http_client.hpp"

#include "net/blocking_stream.hpp"
#include "net/url.hpp"

#include <array>
#include <sstream>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/core.h>

namespace slipway::net {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

std::string peer_of(const HttpRequest& request) {
  return request.unix_socket.empty() ? authority(request.host, request.port) : request.unix_socket;
}

Result<void> connect(BlockingStream& stream, const HttpRequest& request) {
  if (!request.unix_socket.empty()) return stream.connect_unix(request.unix_socket);
  auto connected = stream.connect_tcp(request.host, request.port);
  if (!connected || !request.tls) return connected;
  return stream.shake_hands(*request.tls, request.host);
}

std::string text_of(const HttpRequest& request) {
  http::request<http::string_body> message;
  message.method_string(request.method);
  message.target(request.target);
  message.version(11);
  message.set(http::field::host, request.unix_socket.empty() ? peer_of(request) : "localhost");
  message.set(http::field::connection, "close");
  if (!request.body.empty()) message.set(http::field::content_type, request.content_type);
  message.body() = request.body;
  message.prepare_payload();
  std::ostringstream text;
  text << message;
  return std::move(text).str();
}

// The peer went away before it had answered, as a daemon does that restarts; or it answered
// something else than HTTP, or too much.
Error unreadable(error_code failed) {
  if (failed == http::error::end_of_stream) return {ErrorKind::unreachable, "it was closed", {}};
  if (failed == http::error::partial_message) {
    return {ErrorKind::unreachable, "it was cut off before its end", {}};
  }
  if (failed == http::error::body_limit) {
    return {ErrorKind::protocol, "it is over the size limit", {}};
  }
  return {ErrorKind::protocol, fmt::format("it does not speak HTTP ({})", failed.message()), {}};
}

Result<HttpAnswer> read_answer(BlockingStream& stream, const HttpRequest& request) {
  http::response_parser<http::string_body> parser;
  parser.eager(true);
  parser.body_limit(request.body_limit);
  if (request.method == "HEAD") parser.skip(true);
  std::string unparsed;
  std::array<std::uint8_t, 16384> buffer;
  while (!parser.is_done()) {
    const auto got = stream.read_some(buffer);
    if (!got) return got.error();
    error_code failed;
    if (*got == 0) {
      if (!parser.got_some()) failed = http::error::end_of_stream;
      if (!failed) parser.put_eof(failed);
      if (failed) return unreadable(failed);
      break;
    }
    unparsed.append(buffer.begin(), buffer.begin() + *got);
    unparsed.erase(0, parser.put(boost::asio::buffer(unparsed), failed));
    if (failed && failed != http::error::need_more) return unreadable(failed);
  }
  return HttpAnswer{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

}  // namespace

Result<HttpAnswer> http_request(const HttpRequest& request, std::stop_token stop) {
  const auto refused = [&](std::string_view doing, Error error) {
    error.what = fmt::format("cannot {} {} {}{}: {}", doing, request.method, peer_of(request),
                             request.target, error.what);
    return error;
  };
  // One deadline for everything: a server that drips a byte at a time does not extend it.
  BlockingStream stream(request.deadline, std::move(stop));
  if (auto done = connect(stream, request); !done) return refused("connect for", done.error());
  if (auto done = stream.write(text_of(request)); !done) return refused("send", done.error());
  auto answer = read_answer(stream, request);
  if (!answer) return refused("read the answer to", answer.error());
  return answer;
}

}  // namespace slipway::net
