#include "packet_bench/target/target.hpp"

#include "packet_bench/target/btp_channel.hpp"
#include "support/catch.hpp"

using namespace slipway::bench;

TEST_CASE("a BTP target is read whole, and its text hides the token", "[target]") {
  const auto target = parse_target("btp+ws://alice:s%3Acret@example.test:4000/btp?x=1");
  REQUIRE(target.has_value());
  CHECK(target->scheme == &btp_scheme);
  CHECK_FALSE(target->tls);
  CHECK(target->username == "alice");
  CHECK(target->token == "s:cret");
  CHECK(target->host == "example.test");
  CHECK(target->port == 4000);
  CHECK(target->path == "/btp?x=1");
  CHECK(target->text() == "btp+ws://example.test:4000/btp?x=1");
}

TEST_CASE("ports and paths have the scheme's defaults", "[target]") {
  CHECK(parse_target("http://localhost")->port == 80);
  CHECK(parse_target("https://localhost")->port == 443);
  CHECK(parse_target("https://localhost")->tls);
  CHECK(parse_target("ilp+http://:t@[::1]:7")->host == "::1");
  CHECK(parse_target("btp+ws://:t@localhost:1")->path == "/");
  CHECK(parse_target("embedded")->is_embedded());
}

TEST_CASE("what is no target is refused without showing a token", "[target]") {
  for (const char* text :
       {"", "localhost:4000", "ftp://host/", "btp+ws://", "btp+ws://:s3cr@", "btp+ws://:s3cr@:80/",
        "btp+ws://:s3cr@host:0/", "btp+ws://:s3cr@host:65536/", "btp+ws://:s3cr@host:12x/",
        "btp+ws://:s3cr%zz@host:1/", "http://a b/", "http://host:-1"}) {
    const auto target = parse_target(text);
    INFO(text);
    REQUIRE(target.has_error());
    CHECK(target.error().kind == slipway::ErrorKind::usage);
    CHECK(target.error().what.find("s3cr") == std::string::npos);
  }
}
