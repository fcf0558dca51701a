#include "base/foreign_text.hpp"

#include "support/catch.hpp"

#include <random>

using slipway::presentable;

TEST_CASE("what anybody can read stays as it is", "[foreign_text]") {
  for (const char* text :
       {"", "HTTP/1.1 302 Found", "Grüße, 世界 \xf0\x9f\x9a\xa2", "a\\b \"c\""}) {
    CHECK(presentable(text) == text);
  }
}

TEST_CASE("what could steer a terminal or turn a line around is shown byte by byte",
          "[foreign_text]") {
  CHECK(presentable("\x1b[2Jx\r\ny\x07") == "\\x1b[2Jx\\x0d\\ny\\x07");
  CHECK(presentable("a\x7f") == "a\\x7f");
  CHECK(presentable("\xc2\x9b"
                    "31m") == "\\xc2\\x9b31m");
  CHECK(presentable("a\xe2\x80\xae"
                    "b") ==
        "a\\xe2\\x80\\xae"
        "b");
  CHECK(presentable("a\xe2\x80\xa8"
                    "b") ==
        "a\\xe2\\x80\\xa8"
        "b");
  CHECK(presentable(std::string_view("a\0b", 3)) == "a\\x00b");
}

TEST_CASE("what is no UTF-8 is shown byte by byte", "[foreign_text]") {
  CHECK(presentable("caf\xe9!") == "caf\\xe9!");
  CHECK(presentable("\xc0\xaf") == "\\xc0\\xaf");
  CHECK(presentable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(presentable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(presentable("\xe4\xb8") == "\\xe4\\xb8");
}

TEST_CASE("it is cut between characters, and says so", "[foreign_text]") {
  CHECK(presentable("abcdef", 6) == "abcdef");
  CHECK(presentable("abcdefg", 6) == "abcdef...");
  CHECK(presentable("ab\xe4\xb8\x96", 4) == "ab...");
}

TEST_CASE("of any bytes nothing comes through that is no printable UTF-8", "[foreign_text]") {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string text(random() % 40, 'x');
    for (char& c : text) c = static_cast<char>(random() % 256);
    const std::string shown = presentable(text, 30);
    CHECK(presentable(shown, 1000) == shown);
    CHECK(shown.size() <= 4 * 30 + 3);
  }
}
