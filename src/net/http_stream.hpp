#pragma once

// HTTP/1.1 on one connection, as a coroutine's server or client, and WebSocket's opening handshake.
// Everything here is plain values: Beast is compiled behind it, once.

#include "net/lookup.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

namespace slipway::net {

struct HttpField {
  std::string name;
  std::string value;
};

struct HttpMessage {
  std::vector<HttpField> fields;  // without Content-Length and Connection, which are the stream's
  std::vector<std::uint8_t> body;
  bool keep_alive = true;

  // The value of the first field of that name, whatever its case; empty where there is none.
  std::string_view field(std::string_view name) const;
};
struct HttpQuery : HttpMessage {
  std::string method = "GET";
  std::string target = "/";
};
struct HttpReply : HttpMessage {
  unsigned status = 200;
};

struct HttpLimits {
  std::size_t header = std::size_t{8} * 1024;
  std::size_t body = std::size_t{64} * 1024;
};

// Whether the other side ended the connection where it may, or we did: no failure to speak of.
bool is_end_of_connection(boost::system::error_code failed);
// Why a message could not be read or written, for a log.
std::string reason_of(boost::system::error_code failed);

// A connection. What fails says so by its error code; after that only close() makes sense. Steps
// that take longer than expires_after() allows fail, and the connection is closed.
class HttpStream {
 public:
  using Failure = boost::system::error_code;
  using Tcp = boost::asio::ip::tcp;

  HttpStream(const Tcp::socket::executor_type& executor, HttpLimits limits = {},
             NameLookup lookup = &look_up);
  HttpStream(Tcp::socket socket, HttpLimits limits = {});
  ~HttpStream();
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;

  void expires_after(std::chrono::nanoseconds time);
  void expires_at(std::chrono::steady_clock::time_point when);
  void expires_never();
  void close();
  bool is_open() const;
  // Whether bytes have arrived that nobody has read.
  bool has_unread();

  // As a server. The head of the next request comes first, then, unless it wants WebSocket, all of
  // it; read_query() alone does both.
  boost::asio::awaitable<Failure> read_head();
  bool wants_websocket() const;
  boost::asio::awaitable<Failure> accept_websocket(std::chrono::nanoseconds timeout);
  boost::asio::awaitable<std::pair<Failure, HttpQuery>> read_query();
  // Whether a request had begun to arrive when reading one failed.
  bool query_had_begun() const;
  // `head_only`: without the body, whose length is told all the same (an answer to HEAD).
  boost::asio::awaitable<Failure> write(HttpReply reply, bool head_only = false);

  // As a client.
  boost::asio::awaitable<Failure> connect(const std::string& host, std::uint16_t port);
  boost::asio::awaitable<Failure> write(HttpQuery query);
  boost::asio::awaitable<std::pair<Failure, HttpReply>> read_reply();
  boost::asio::awaitable<Failure> shake_websocket_hands(const std::string& host,
                                                        const std::string& path);

  // After a WebSocket handshake: what was read beyond it, and the connection itself.
  std::span<const std::uint8_t> unparsed() const;
  Tcp::socket release();

 private:
  boost::asio::awaitable<Failure> resolve(const std::string& host, std::uint16_t port,
                                          std::vector<Tcp::endpoint>& endpoints);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::net
