#include "base/foreign_text.hpp"

#include "support/catch.hpp"

using namespace slipway;

namespace {

constexpr std::size_t plenty = 10000;

std::string shown(std::string_view said, const std::vector<std::string>& secrets = {}) {
  return foreign_text(said, plenty, secrets);
}

}  // namespace

TEST_CASE("plain words in any language pass as they are", "[foreign]") {
  const std::string words = "caf\xc3\xa9: 3 \xe2\x82\xac,\n\xf0\x9f\x9a\xa2 sinks; 100 % [done]";
  CHECK(shown(words) == words);
  CHECK(shown("").empty());
}

TEST_CASE("escape sequences leave nothing behind that a terminal would obey", "[foreign]") {
  // Each from ECMA-48 or xterm's ctlseqs, between an a and a b.
  for (const std::string sequence :
       {"\x1b[2J", "\x1b[1;31m", "\x1b[?25l", "\x1b[38;5;196m", "\x1b]0;title\x07",
        "\x1b]8;;http://x/\x1b\\", "\x1bP1$tx\x1b\\", "\x1b(B",
        "\x1b"
        "c",
        "\x1b"
        "7",
        "\x1b_apc\x1b\\",
        "\xc2\x9b"
        "31m",
        "\xc2\x9d"
        "0;t\xc2\x9c",
        "\xc2\x85"}) {
    INFO(sequence);
    CHECK(shown("a" + sequence + "b") == "ab");
  }
}

TEST_CASE("a sequence that is cut short, or never ends, hides no words", "[foreign]") {
  CHECK(shown("a\x1b") == "a");
  CHECK(shown("a\x1b[31") == "a");
  CHECK(shown("a\x1b[3\nb") == "a\nb");
  CHECK(shown("a\x1b\x1b[2Jb") == "ab");
  CHECK(shown("\x1b]the error") == "the error");
  CHECK(shown("a\x1b]0;title\x1b[2Jb") == "ab");
  CHECK(shown("\x1b]0;the error\nand more") == "0;the error\nand more");
}

TEST_CASE("control characters are blanks, newlines stay, and none is at the end", "[foreign]") {
  CHECK(shown(std::string("a\0b\rc\td\x7f"
                          "e\nf\r\n\n \n",
                          16)) == "a b c d e\nf");
  CHECK(shown("over\b\b\b\bwrite") == "over    write");
}

TEST_CASE("what is not UTF-8 is U+FFFD, byte by byte", "[foreign]") {
  const std::string no = "\xef\xbf\xbd";
  CHECK(shown("a\xff"
              "b") == "a" + no + "b");
  CHECK(shown("\xc3") == no);                             // cut short
  CHECK(shown("\xc0\xaf") == no + no);                    // overlong
  CHECK(shown("\xed\xa0\x80") == no + no + no);           // a surrogate
  CHECK(shown("\xf4\x90\x80\x80") == no + no + no + no);  // above U+10FFFF
  CHECK(shown("\x9b"
              "31m") == no + "31m");  // a C1 control of an 8-bit terminal
}

TEST_CASE("of a long text the end is kept, whole characters only", "[foreign]") {
  const std::string line(5'000'000, 'x');
  CHECK(foreign_text(line + " the cause\n", 10) == " the cause");
  std::string introducers;  // of titles that do not end
  for (int i = 0; i < 1'000'000; ++i) introducers += "\xc2\x9d";
  CHECK(foreign_text(introducers + "\nthe cause", 100) == "\nthe cause");
  CHECK(foreign_text("\xe2\x82\xac\xe2\x82\xac", 5) == "\xe2\x82\xac");
  CHECK(foreign_text("\xff\xff\xff", 4).size() <= 4);
}

TEST_CASE("secrets are hidden, each whole, in whatever order they are given", "[foreign]") {
  for (const auto& secrets : {std::vector<std::string>{"token", "token-of-bob"},
                              std::vector<std::string>{"token-of-bob", "token"}}) {
    CHECK(shown("said token-of-bob and token.", secrets) == "said *** and ***.");
  }
  // One that ends with what another begins with.
  CHECK(shown("x abcdefghi y", {"abcdef", "defghi"}) == "x *** y");
  CHECK(shown("aaaaa", {"aaaa"}) == "***");
  CHECK(shown("nothing", {""}) == "nothing");
}

TEST_CASE("a secret is hidden where control characters interrupt it, or are in it", "[foreign]") {
  CHECK(shown("no sec\x1b[0mret here", {"secret"}) == "no *** here");
  CHECK(shown("no a\tb\xff here", {"a\tb\xff"}) == "no *** here");
}

TEST_CASE("half a secret is not what remains of one at the cut", "[foreign]") {
  CHECK(foreign_text("begin secret end", 8, {"secret"}) == " *** end");
}

TEST_CASE("what stands before the host in a URL is hidden, a digest is not", "[foreign]") {
  CHECK(shown("proxy http://user:pass@proxy:3128 refused") ==
        "proxy http://***@proxy:3128 refused");
  CHECK(shown("btp+ws://:TOKEN@host:4000/") == "btp+ws://***@host:4000/");
  CHECK(shown("https://registry/v2/a@sha256:12") == "https://registry/v2/a@sha256:12");
  CHECK(shown("https://registry/ by root@host") == "https://registry/ by root@host");
}
