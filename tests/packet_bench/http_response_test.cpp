#include "packet_bench/target/http_response.hpp"

#include "support/catch.hpp"

#include <string>

using namespace slipway::bench;

TEST_CASE("a response with a length is taken whole and the next one is left", "[http]") {
  const std::string first = "HTTP/1.1 200 OK\r\ncontent-LENGTH: 5\r\n\r\nhello";
  const std::string input = first + "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";
  HttpResponse response;
  REQUIRE(parse_http_response(input, response) == HttpParse::response);
  CHECK(response.status == 200);
  CHECK(response.body == "hello");
  CHECK(response.size == first.size());
  CHECK_FALSE(response.closes);
}

TEST_CASE("every cut of a response is incomplete, never wrong", "[http]") {
  const std::string text = GENERATE(
      std::string("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
      std::string(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r\n0\r\nA: b\r\n\r\n"),
      std::string("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"));
  HttpResponse response;
  for (std::size_t size = 0; size < text.size(); ++size) {
    INFO(size);
    CHECK(parse_http_response(std::string_view(text).substr(0, size), response) ==
          HttpParse::incomplete);
  }
  CHECK(parse_http_response(text, response) == HttpParse::response);
  CHECK(response.size == text.size());
}

TEST_CASE("a response that ends with the connection is whole when that has ended", "[http]") {
  const std::string text = GENERATE(
      std::string("HTTP/1.1 200 OK\r\n\r\nhello"),
      std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nhello"));
  HttpResponse response;
  CHECK(parse_http_response(text, response) == HttpParse::incomplete);
  REQUIRE(parse_http_response(text, response, false, true) == HttpParse::response);
  CHECK(response.body == "hello");
  CHECK(response.closes);
  CHECK(response.size == text.size());
}

TEST_CASE("what is no HTTP is refused with the reason", "[http]") {
  HttpResponse response;
  for (const char* text : {"SSH-2.0-x\r\n", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    INFO(text);
    CHECK(parse_http_response(text, response) == HttpParse::invalid);
    CHECK_FALSE(response.fault.empty());
  }
}

TEST_CASE("a server that says it closes is believed", "[http]") {
  HttpResponse response;
  REQUIRE(parse_http_response("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                              response) == HttpParse::response);
  CHECK(response.closes);
  REQUIRE(parse_http_response("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", response) ==
          HttpParse::response);
  CHECK(response.closes);
}

TEST_CASE("an answer to HEAD has no body, whatever length it tells", "[http]") {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  HttpResponse response;
  REQUIRE(parse_http_response(head + head, response, true) == HttpParse::response);
  CHECK(response.size == head.size());
  CHECK(response.body.empty());
}

TEST_CASE("a field is found by its name, and a chunked body is put together", "[http]") {
  const std::string text =
      "HTTP/1.1 200 OK\r\nA-B: 1\r\na-b: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: t\r\n\r\n";
  HttpResponse response;
  REQUIRE(parse_http_response(text, response) == HttpParse::response);
  CHECK(response.header("a-B") == "1");
  CHECK_FALSE(response.header("a").has_value());
  CHECK(unchunked(response.body) == "abc0123456789");
}
