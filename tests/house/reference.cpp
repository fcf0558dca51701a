// What the cost of compiling is measured by: the standard library alone, some of its templates.
#include <functional>
#include <map>
#include <regex>
#include <string>
#include <vector>

std::map<std::string, std::vector<std::string>> words_by_first(const std::string& text) {
  const std::regex word("[a-z]+(-[a-z]+)*");
  std::map<std::string, std::vector<std::string>> words;
  for (std::sregex_iterator found(text.begin(), text.end(), word), end; found != end; ++found) {
    words[found->str().substr(0, 1)].push_back(found->str());
  }
  return words;
}
