#include "net/http_stream.hpp"

#include "net/silent_resolver.hpp"
#include "support/catch.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

using namespace slipway::net;
namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

// Results are kept in variables: GCC 12 loses what is awaited within a CHECK.
using Part = std::function<asio::awaitable<void>(HttpStream&)>;

// Runs both ends of one connection to their ends.
void play(const Part& server, const Part& client) {
  asio::io_context io;
  tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const std::uint16_t port = acceptor.local_endpoint().port();
  const auto rethrow = [](const std::exception_ptr& escaped) {
    if (escaped) std::rethrow_exception(escaped);
  };
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
        HttpStream stream(std::move(socket), {.header = 500, .body = 10});
        stream.expires_after(5s);
        co_await server(stream);
      },
      rethrow);
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        HttpStream stream(io.get_executor());
        stream.expires_after(5s);
        const auto step1 = co_await stream.connect("127.0.0.1", port);
        CHECK_FALSE(step1);
        co_await client(stream);
      },
      rethrow);
  io.run();
}

}  // namespace

TEST_CASE("two requests and their answers go over one connection", "[http_stream]") {
  play(
      [](HttpStream& stream) -> asio::awaitable<void> {
        for (const bool last : {false, true}) {
          const auto [failed, query] = co_await stream.read_query();
          CHECK_FALSE(failed);
          CHECK(query.method == "POST");
          CHECK(query.target == "/p?q");
          CHECK(query.field("x-NAME") == "value");
          CHECK(query.keep_alive == !last);
          HttpReply reply;
          reply.status = 202;
          reply.body = query.body;
          reply.keep_alive = query.keep_alive;
          const auto step2 = co_await stream.write(std::move(reply));
          CHECK_FALSE(step2);
        }
      },
      [](HttpStream& stream) -> asio::awaitable<void> {
        for (const bool last : {false, true}) {
          HttpQuery query;
          query.method = "POST";
          query.target = "/p?q";
          query.fields = {{"X-Name", "value"}};
          query.body = {1, 0, 2};
          query.keep_alive = !last;
          const auto step3 = co_await stream.write(std::move(query));
          CHECK_FALSE(step3);
          const auto [failed, reply] = co_await stream.read_reply();
          CHECK_FALSE(failed);
          CHECK(reply.status == 202);
          CHECK(reply.body == std::vector<std::uint8_t>{1, 0, 2});
          CHECK(reply.keep_alive == !last);
        }
      });
}

TEST_CASE("what is over its limit is refused with a reason", "[http_stream]") {
  const auto [field, body, reason] = GENERATE(table<std::size_t, std::size_t, std::string>(
      {{1, 11, "body over the size limit"}, {700, 1, "header over the size limit"}}));
  play(
      [&](HttpStream& stream) -> asio::awaitable<void> {
        const auto [failed, query] = co_await stream.read_query();
        CHECK(reason_of(failed) == reason);
      },
      [&](HttpStream& stream) -> asio::awaitable<void> {
        HttpQuery query;
        query.fields = {{"X", std::string(field, 'x')}};
        query.body.resize(body);
        (void)co_await stream.write(std::move(query));
      });
}

TEST_CASE("a peer that goes between two requests has merely ended", "[http_stream]") {
  play(
      [](HttpStream& stream) -> asio::awaitable<void> {
        const auto [failed, query] = co_await stream.read_query();
        CHECK(is_end_of_connection(failed));
        CHECK_FALSE(stream.query_had_begun());
      },
      [](HttpStream& stream) -> asio::awaitable<void> {
        stream.close();
        co_return;
      });
}

TEST_CASE("an upgrade to WebSocket leaves the connection to both ends", "[http_stream]") {
  play(
      [](HttpStream& stream) -> asio::awaitable<void> {
        const auto step4 = co_await stream.read_head();
        CHECK_FALSE(step4);
        CHECK(stream.wants_websocket());
        const auto step5 = co_await stream.accept_websocket(1s);
        CHECK_FALSE(step5);
        CHECK(stream.release().is_open());
      },
      [](HttpStream& stream) -> asio::awaitable<void> {
        const auto step6 = co_await stream.shake_websocket_hands("host", "/");
        CHECK_FALSE(step6);
        CHECK(stream.unparsed().empty());
        CHECK(stream.release().is_open());
      });
}

TEST_CASE("a name that is not answered for holds up neither its deadline nor the end of the loop",
          "[http_stream]") {
  slipway::test::SilentResolver resolver;
  boost::system::error_code outcome;
  {
    asio::io_context io;
    HttpStream patient(io.get_executor(), {}, &slipway::test::never_answers);
    HttpStream hasty(io.get_executor(), {}, &slipway::test::never_answers);
    patient.expires_after(1h);
    hasty.expires_after(50ms);
    const auto connect = [&](HttpStream& stream) -> asio::awaitable<void> {
      outcome = co_await stream.connect("somewhere.test", 80);
      io.stop();
    };
    asio::co_spawn(io, connect(patient), asio::detached);
    asio::co_spawn(io, connect(hasty), asio::detached);
    io.run();
  }
  CHECK(reason_of(outcome) == "not in time");
  CHECK_FALSE(resolver.has_let_go());
}

TEST_CASE("a name that nobody has is no connection", "[http_stream]") {
  asio::io_context io;
  HttpStream stream(io.get_executor(), {}, [](const std::string&, std::uint16_t) {
    return slipway::Result<SocketAddresses>(
        slipway::Error{slipway::ErrorKind::unreachable, "no such name", {}});
  });
  boost::system::error_code outcome;
  asio::co_spawn(
      io, [&]() -> asio::awaitable<void> { outcome = co_await stream.connect("nowhere.test", 80); },
      asio::detached);
  io.run();
  CHECK(outcome == asio::error::host_not_found);
}
