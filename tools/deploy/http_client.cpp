#include "deploy/http_client.hpp"

#include "base/units.hpp"

#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/core.h>

namespace slipway::deploy {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

std::string peer_of(const HttpRequest& request) {
  return request.unix_socket.empty() ? fmt::format("{}:{}", request.address, request.port)
                                     : request.unix_socket;
}

ErrorKind kind_of(error_code failed) {
  if (failed == beast::error::timeout) return ErrorKind::timeout;
  if (failed == asio::error::operation_aborted) return ErrorKind::cancelled;
  // The peer went away before it had answered, as a daemon does that restarts.
  const bool cut = failed == http::error::end_of_stream || failed == http::error::partial_message;
  if (!cut && failed.category() == http::make_error_code(http::error::body_limit).category()) {
    return ErrorKind::protocol;
  }
  return ErrorKind::unreachable;
}

template <typename Stream, typename Endpoint>
asio::awaitable<Result<HttpAnswer>> exchange(Stream& stream, Endpoint endpoint,
                                             const HttpRequest& request) {
  const auto refused = [&](std::string_view doing, error_code failed) {
    const ErrorKind kind = kind_of(failed);
    const std::string cause = kind == ErrorKind::timeout
                                  ? "no answer within " + format_duration(request.deadline)
                                  : failed.message();
    return Error{kind,
                 fmt::format("cannot {} {} {}{}: {}", doing, request.method, peer_of(request),
                             request.target, cause),
                 {}};
  };
  error_code failed;
  auto token = asio::redirect_error(asio::use_awaitable, failed);
  // One timer for everything: a server that drips a byte at a time does not extend it.
  stream.expires_after(std::chrono::duration_cast<std::chrono::milliseconds>(request.deadline));
  co_await stream.async_connect(endpoint, token);
  if (failed) co_return refused("connect for", failed);

  http::request<http::string_body> message;
  message.method_string(request.method);
  message.target(request.target);
  message.version(11);
  message.set(http::field::host, "slipway");
  message.set(http::field::connection, "close");
  if (!request.body.empty()) message.set(http::field::content_type, "application/json");
  message.body() = request.body;
  message.prepare_payload();
  co_await http::async_write(stream, message, token);
  if (failed) co_return refused("send", failed);

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(request.body_limit);
  co_await http::async_read(stream, buffer, parser, token);
  if (failed) co_return refused("read the answer to", failed);
  co_return HttpAnswer{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

template <typename Protocol>
Result<HttpAnswer> exchange_on(asio::io_context& io, typename Protocol::endpoint endpoint,
                               const HttpRequest& request, std::stop_token stop) {
  std::optional<Result<HttpAnswer>> outcome;
  beast::basic_stream<Protocol> stream(io);
  asio::co_spawn(io, exchange(stream, std::move(endpoint), request),
                 [&](std::exception_ptr thrown, Result<HttpAnswer> result) {
                   if (thrown) std::rethrow_exception(thrown);
                   outcome = std::move(result);
                 });
  std::stop_callback on_stop(stop, [&] { asio::post(io, [&] { stream.cancel(); }); });
  io.run();
  return std::move(*outcome);
}

}  // namespace

Result<HttpAnswer> http_request(const HttpRequest& request, std::stop_token stop) {
  asio::io_context io(1);
  if (!request.unix_socket.empty()) {
    using Local = asio::local::stream_protocol;
    return exchange_on<Local>(io, Local::endpoint(request.unix_socket), request, std::move(stop));
  }
  error_code failed;
  const auto address = asio::ip::make_address(request.address, failed);
  if (failed) {
    return Error{
        ErrorKind::usage, fmt::format("'{}' is not a numeric address", request.address), {}};
  }
  using Tcp = asio::ip::tcp;
  return exchange_on<Tcp>(io, Tcp::endpoint(address, request.port), request, std::move(stop));
}

}  // namespace slipway::deploy
