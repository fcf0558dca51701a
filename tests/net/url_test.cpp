#include "net/url.hpp"

#include "support/catch.hpp"

using slipway::net::parse_url;

TEST_CASE("a URL is split, and its user and password mean what their escapes mean", "[url]") {
  const auto url = parse_url("btp+ws://al%69ce:s%3Acret%2F@example.test:4000/b%20tp?x=1&y");
  REQUIRE(url.has_value());
  CHECK(url->scheme == "btp+ws");
  CHECK(url->user == "alice");
  CHECK(url->password == "s:cret/");
  CHECK(url->host == "example.test");
  CHECK(url->port == 4000);
  CHECK(url->target == "/b%20tp?x=1&y");
}

TEST_CASE("what a URL leaves out is nothing, and its target begins with a slash", "[url]") {
  const auto bare = parse_url("http://[::1]");
  REQUIRE(bare.has_value());
  CHECK(bare->user.empty());
  CHECK(bare->host == "::1");
  CHECK(bare->port == 0);
  CHECK(bare->target == "/");
  CHECK(parse_url("http://h?x=1")->target == "/?x=1");
}

TEST_CASE("what is no URL is refused without repeating it", "[url]") {
  for (const char* text :
       {"", "host:4000", "http://", "http://:s3cr@", "http://:s3cr@:80/", "http://:s3cr@host:0/",
        "http://:s3cr@host:65536/", "http://:s3cr@host:12x/", "http://:s3cr%zz@host/",
        "http://a b/", "http://host:-1", "http://:s3cr@host/\r\nX: y", "http://[::1/"}) {
    const auto url = parse_url(text);
    INFO(text);
    REQUIRE(url.has_error());
    CHECK(url.error().kind == slipway::ErrorKind::usage);
    CHECK(url.error().text().find("s3cr") == std::string::npos);
  }
}
