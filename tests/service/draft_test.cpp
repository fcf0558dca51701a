#include "slipway/cli/draft.hpp"

#include "support/catch.hpp"

using namespace slipway;
using front::draft_of;
using front::facts_of;

TEST_CASE("a Dockerfile tells its port, the path of its health and whether it takes a revision") {
  const auto facts = facts_of(
      "# EXPOSE 1\nFROM scratch\nARG REVISION=none\nexpose 53/udp 9000/tcp 8080\n"
      "HEALTHCHECK --interval=5s \\\n  # every five\n"
      "  CMD curl -f http://localhost:9000/alive?full=1 || exit 1\n");
  CHECK(facts.port == 9000);
  CHECK(facts.health == "/alive?full=1");
  CHECK(facts.takes_revision);
}

TEST_CASE("a Dockerfile that tells nothing gives nothing") {
  for (const char* text : {"", "FROM scratch\n", "EXPOSE $PORT\nEXPOSE 99999\nHEALTHCHECK NONE\n",
                           "ARG REVISIONS\n"}) {
    INFO(text);
    const auto facts = facts_of(text);
    CHECK_FALSE(facts.port.has_value());
    CHECK(facts.health.empty());
    CHECK_FALSE(facts.takes_revision);
  }
}

TEST_CASE("every draft is a slipway.yml that the reader takes") {
  for (const char* text :
       {"", "EXPOSE 9000\nHEALTHCHECK CMD curl http://a/up\nARG REVISION\n", "EXPOSE 8080\n"}) {
    INFO(text);
    const auto service = service::parse_service(draft_of({"price-api", ""}, facts_of(text)), "f");
    REQUIRE(service.has_value());
    CHECK(service->name == "price-api");
    CHECK(service->version_is_digest == (std::string(text).find("REVISION") == std::string::npos));
  }
}

TEST_CASE("a repository's name that YAML takes for something else is a text in the draft") {
  for (const char* name : {"2048", "on", "null", "0123", "1e3", "12-30"}) {
    const auto service = service::parse_service(draft_of({name, ""}, facts_of("")), "f");
    INFO(name);
    REQUIRE(service.has_value());
    CHECK(service->name == name);
  }
}

TEST_CASE("what is written of a service is read again, whatever it was left to say") {
  for (const char* name :
       {"price_api", "-", "A.B", "x-0123456789-0123456789-0123456789-01234-6789"}) {
    for (const char* text :
         {"{}", "drain: 6000m\n", "drain: 604800s\n", "drain: 999960s\n", "drain: 277h\n",
          "drain: 16666m\n", "drain: 1000000s\n", "drain: 999999.999999999s\n"}) {
      const auto first = service::parse_service(text, "f", {name, "Registry.test/a"});
      INFO(name << " " << text);
      REQUIRE(first.has_value());
      const std::string written = service::to_json_text(*first);
      INFO(written);
      const auto again = service::parse_service(written, "snapshot");
      REQUIRE(again.has_value());
      CHECK(service::to_json_text(*again) == written);
    }
  }
}
