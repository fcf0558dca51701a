#include "packet_bench/target/served_check.hpp"

#include "packet_bench/target/http_response.hpp"
#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace slipway;
using namespace slipway::bench;

namespace {

// What is said of an answer with this head's end and body.
std::string refusal(const service::ServedRule& rule, const std::string& status,
                    const std::string& fields, const std::string& body, bool chunked = false) {
  const std::string length =
      chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + std::to_string(body.size());
  const std::string text = "HTTP/1.1 " + status + "\r\n" + fields + length + "\r\n\r\n" + body;
  HttpResponse response;
  REQUIRE(parse_http_response(text, response) == HttpParse::response);
  return std::string(ServedCheck::make(rule).value().refusal(response));
}

}  // namespace

TEST_CASE("where nothing is written any 2xx is served, and nothing else", "[served]") {
  CHECK(refusal({}, "200 OK", "", "").empty());
  CHECK(refusal({}, "299 Odd", "", "").empty());
  CHECK(refusal({}, "300 Many", "", "") == "HTTP 300");
  CHECK(refusal({}, "500 Oops", "", "") == "HTTP 500");
  HttpResponse response;
  REQUIRE(parse_http_response("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", response) ==
          HttpParse::response);
  CHECK(ServedCheck().refusal(response) == "HTTP 404");
}

TEST_CASE("of the statuses that are written each is served, and no other", "[served]") {
  const service::ServedRule rule{.statuses = {200, 404}};
  CHECK(refusal(rule, "200 OK", "", "").empty());
  CHECK(refusal(rule, "404 Not Found", "", "").empty());
  CHECK(refusal(rule, "204 No Content", "", "") == "HTTP 204");
}

TEST_CASE("a header is wanted with its exact value, whatever the case of its name", "[served]") {
  const service::ServedRule rule{.header = {{"X-Cache", "hit"}}};
  CHECK(refusal(rule, "200 OK", "x-cache:   hit \r\n", "").empty());
  CHECK(refusal(rule, "200 OK", "X-Cache: Hit\r\n", "") == "HTTP 200, wrong header");
  CHECK(refusal(rule, "200 OK", "X-Cache-Key: hit\r\n", "") == "HTTP 200, wrong header");
  CHECK(refusal(rule, "503 Busy", "X-Cache: hit\r\n", "") == "HTTP 503");
}

TEST_CASE("a value of the body is found by its JSON pointer", "[served]") {
  const service::ServedRule word{.json = {{"/a~1b/0/ok", "yes"}}};
  CHECK(refusal(word, "200 OK", "", R"({"a/b": [{"ok": "yes"}]})").empty());
  CHECK(refusal(word, "200 OK", "", "14\r\n{\"a/b\": [{\"ok\": \"yes\r\n4\r\n\"}]}\r\n0\r\n\r\n",
                true)
            .empty());
  for (const char* body : {R"({"a/b": [{"ok": "no"}]})", R"({"a/b": {"ok": "yes"}})", "[]", "",
                           R"({"a/b": [{"ok": "yes"}]} and more)", "<html>"}) {
    INFO(body);
    CHECK(refusal(word, "200 OK", "", body) == "HTTP 200, wrong JSON");
  }
  CHECK(refusal({.json = {{"/ok", "true"}}}, "200 OK", "", R"({"ok":true})").empty());
  CHECK(refusal({.json = {{"/ok", "true"}}}, "200 OK", "", R"({"ok":"true"})") ==
        "HTTP 200, wrong JSON");
  CHECK(refusal({.json = {{"/n", "1.0"}}}, "200 OK", "", R"({"n":1})").empty());
  CHECK(refusal({.json = {{"", "3"}}}, "200 OK", "", "3").empty());
}

TEST_CASE("a body is searched for an expression, as far as that is bounded", "[served]") {
  const service::ServedRule rule{.body = "price: [0-9]+"};
  CHECK(refusal(rule, "200 OK", "", "the price: 12 USD").empty());
  CHECK(refusal(rule, "200 OK", "", "the price: none") == "HTTP 200, wrong body");
  CHECK(refusal(rule, "200 OK", "", "7\r\nthe pri\r\n6\r\nce: 12\r\n0\r\n\r\n", true).empty());
  const std::string far(ServedCheck::searched_bytes, '.');
  CHECK(refusal(rule, "200 OK", "", far + "price: 12") == "HTTP 200, wrong body");
  // What is matched by recursion must not use up a thread's stack.
  CHECK(refusal({.body = "^(.|\\n)*(x|y)*z$"}, "200 OK", "", std::string(1 << 20, 'a')) ==
        "HTTP 200, wrong body");
}

TEST_CASE("all that is written must hold", "[served]") {
  const service::ServedRule rule{
      .statuses = {201}, .header = {{"X-A", "b"}}, .json = {{"/ok", "true"}}, .body = "extra"};
  const std::string body = R"({"ok": true, "extra": 1})";
  CHECK(refusal(rule, "201 Made", "X-A: b\r\n", body).empty());
  CHECK(refusal(rule, "200 OK", "X-A: b\r\n", body) == "HTTP 200");
  CHECK(refusal(rule, "201 Made", "", body) == "HTTP 201, wrong header");
  CHECK(refusal(rule, "201 Made", "X-A: b\r\n", R"({"ok": false, "extra": 1})") ==
        "HTTP 201, wrong JSON");
  CHECK(refusal(rule, "201 Made", "X-A: b\r\n", R"({"ok": true})") == "HTTP 201, wrong body");
}

TEST_CASE("a rule that cannot be asked is refused, and its part is named", "[served]") {
  const std::vector<std::pair<service::ServedRule, std::string>> rules{
      {{.statuses = {200, 99}}, "served status '99'"},
      {{.json = {{"status", "ok"}}}, "served JSON pointer 'status'"},
      {{.body = "("}, "served body '('"},
      {{.body = std::string(ServedCheck::longest_expression + 1, 'a')}, "longer than 1000 bytes"}};
  for (const auto& [rule, says] : rules) {
    const auto made = ServedCheck::make(rule);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().kind == ErrorKind::usage);
    CHECK_THAT(made.error().text(), ContainsSubstring(says));
  }
}
