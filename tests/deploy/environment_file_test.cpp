#include "deploy/state/environment_file.hpp"

#include "base/foreign_text.hpp"
#include "base/json.hpp"
#include "deploy/state/compose_file.hpp"
#include "support/catch.hpp"

using namespace slipway;
using namespace slipway::deploy;

namespace {

using Values = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("an environment is read as it stands, and nothing in it is special", "[environment]") {
  const std::string text =
      "# a comment\n\n  # another\nA=pa$word$1x\r\nexport B = b c \nC=\nD='it is $HOME \\n #1'\n"
      "E=\"in # double\"\nF=a=b\nKEY='-----BEGIN\nline two\n-----END'\nG=x#y";
  const auto values = parse_environment(text);
  REQUIRE(values.has_value());
  CHECK(*values == Values{{"A", "pa$word$1x"},
                          {"B", "b c"},
                          {"C", ""},
                          {"D", "it is $HOME \\n #1"},
                          {"E", "in # double"},
                          {"F", "a=b"},
                          {"KEY", "-----BEGIN\nline two\n-----END"},
                          {"G", "x#y"}});
  CHECK(parse_environment("\xef\xbb\xbf"
                          "A=1")
            .value() == Values{{"A", "1"}});
  CHECK(parse_environment("").value().empty());
}

TEST_CASE("what others would read in another way is refused by line and name, never by value",
          "[environment]") {
  struct Row {
    const char* text;
    const char* says;
  };
  for (const Row& row :
       {Row{"A=1\nTOKEN: hush\n", "line 2 (after A): it is not NAME=VALUE"},
        Row{"\nhush\n", "line 2: it is not NAME=VALUE"},
        Row{"A=hush # note\n", "line 1 (A): a # follows a blank"},
        Row{"A='hush\nB=hush\n", "line 1 (A): the quote that begins its value is not closed"},
        Row{"A='hush' hush\n", "line 1 (A): something follows the closing quote"},
        Row{"A=\"hu\\nsh\"\n", "line 1 (A): a backslash in double quotes"},
        Row{"A=hush\nB=1\nA=hush\n", "line 3 (A): line 1 gives it, too"},
        Row{"A=hush\xff\n", "line 1 (A): its value is not UTF-8"},
        Row{"9A=hush\n", "line 1: it is not NAME=VALUE"}, Row{"a hush=1\n", "line 1: it is not"}}) {
    INFO(row.text);
    const auto refused = parse_environment(row.text);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::usage);
    CHECK_THAT(refused.error().what, ContainsSubstring(row.says));
    CHECK(refused.error().text().find("hu") == std::string::npos);
  }
}

TEST_CASE("compose gets each value so that it takes it as it is", "[environment]") {
  const Json file = parse_json(compose_of_environment({{"A", "pa$word$1x"}, {"B", "x\ny\"'"}}));
  for (const char* colour : {"blue", "green"}) {
    const Json& told = file["services"][colour]["environment"];
    CHECK(told["A"] == "pa$$word$$1x");  // $$ is compose's way to write $
    CHECK(told["B"] == "x\ny\"'");
  }
}

TEST_CASE("a word of a stranger's is one line, short, and turns no writing round", "[foreign]") {
  CHECK(foreign_line("1.0\nrunning: sha256:forged", 200) == "1.0 running: sha256:forged");
  CHECK(foreign_line(std::string(9000, 'x'), 80) == std::string(80, 'x') + "...");
  CHECK(foreign_line("\xc3\xa9\xc3\xa9", 3) == "\xc3\xa9...");
  CHECK(foreign_line("a\xe2\x80\xae"
                     "b\xe2\x81\xa6"
                     "c\xe2\x80\xa8"
                     "d\x7f",
                     80) ==
        "a\xef\xbf\xbd"
        "b\xef\xbf\xbd"
        "c\xef\xbf\xbd"
        "d");
  CHECK(foreign_line("caf\xe9", 80) == "caf\xef\xbf\xbd");  // Latin-1
  CHECK(is_utf8("caf\xc3\xa9 \xef\xbf\xbd"));
  CHECK_FALSE(is_utf8("caf\xe9"));
}
