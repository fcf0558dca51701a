#include "service/document.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

namespace slipway::service {
namespace {

// Aliases can make a small file a huge tree.
constexpr int most_nodes = 10'000;
constexpr int deepest = 20;

struct Fault {
  Mark mark;
  std::string what;
};

Mark mark_of(const YAML::Mark& mark) {
  return mark.is_null() ? Mark{} : Mark{mark.line + 1, mark.column + 1};
}

bool is_one_of(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// What YAML 1.1 takes for a truth value and YAML 1.2 for text.
bool is_truth_to_some(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return is_one_of(text, {"y", "n", "yes", "no", "on", "off"});
}

// Digits that YAML 1.1 takes for an octal, hexadecimal, binary or base-60 number, or for a date.
bool is_number_to_some(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const bool prefixed = text.size() > 1 && text[0] == '0' && text[1] != '.' && text[1] != 'e';
  const bool no_point = text.find_first_of("eE") != std::string_view::npos &&
                        text.find_first_not_of("0123456789eE+-") == std::string_view::npos;
  const bool only_number_signs =
      text.find_first_not_of("0123456789abcdefxoABCDEF_:.+-TZ") == std::string_view::npos;
  const bool divided = text.find_first_of("_:") != std::string_view::npos ||
                       std::count(text.begin(), text.end(), '-') == 2;
  return no_point || (only_number_signs && (prefixed || divided));
}

// A scalar without quotes, by the core schema of YAML 1.2.
Json plain_scalar(const std::string& text, Mark mark) {
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
  if (is_one_of(text, {"true", "True", "TRUE"})) return true;
  if (is_one_of(text, {"false", "False", "FALSE"})) return false;
  if (is_truth_to_some(text) || is_number_to_some(text)) {
    throw Fault{mark, fmt::format("'{0}' is not text to every reader of YAML; write it in quotes: "
                                  "\"{0}\"",
                                  text)};
  }
  const char* begin = text.data() + (text.front() == '+' ? 1 : 0);
  const char* const end = text.data() + text.size();
  long long integer = 0;
  if (const auto [rest, failed] = std::from_chars(begin, end, integer);
      failed == std::errc{} && rest == end) {
    return integer;
  }
  double number = 0;
  const bool may_be_number = text.find_first_not_of("+-.0123456789eE") == std::string::npos;
  if (const auto [rest, failed] = std::from_chars(begin, end, number);
      may_be_number && failed == std::errc{} && rest == end) {
    return number;
  }
  return text;
}

class Reader {
 public:
  Document read(const YAML::Node& root) {
    document_.value = value_of(root, "", 0);
    return std::move(document_);
  }

 private:
  Json value_of(const YAML::Node& node, const std::string& pointer, int depth) {
    const Mark mark = mark_of(node.Mark());
    document_.values[pointer] = mark;
    if (++nodes_ > most_nodes || depth > deepest) throw Fault{mark, "it is too large"};
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        if (node.Tag() == "!") return node.Scalar();
        refuse_tag(node, mark);
        return plain_scalar(node.Scalar(), mark);
      case YAML::NodeType::Sequence:
        refuse_tag(node, mark);
        return list_of(node, pointer, depth);
      case YAML::NodeType::Map:
        refuse_tag(node, mark);
        return mapping_of(node, pointer, depth);
      default:
        return nullptr;
    }
  }

  static void refuse_tag(const YAML::Node& node, Mark mark) {
    if (node.Tag().empty() || node.Tag() == "?" || node.Tag() == "!") return;
    throw Fault{mark, fmt::format("the tag {} is not taken; leave it out", node.Tag())};
  }

  Json list_of(const YAML::Node& node, const std::string& pointer, int depth) {
    Json list = Json::array();
    for (const YAML::Node& item : node) {
      list.push_back(value_of(item, fmt::format("{}/{}", pointer, list.size()), depth + 1));
    }
    return list;
  }

  Json mapping_of(const YAML::Node& node, const std::string& pointer, int depth) {
    Json object = Json::object();
    for (const auto& entry : node) {
      const Mark mark = mark_of(entry.first.Mark());
      if (!entry.first.IsScalar()) throw Fault{mark, "a key must be a word"};
      const std::string key = entry.first.Scalar();
      const std::string below = pointer + pointer_to(key);
      if (const auto before = document_.keys.find(below); object.contains(key)) {
        throw Fault{mark, fmt::format("the key '{}' stands twice; first in line {}", key,
                                      before->second.line)};
      }
      document_.keys[below] = mark;
      object[key] = value_of(entry.second, below, depth + 1);
    }
    return object;
  }

  Document document_;
  int nodes_ = 0;
};

Mark find_mark(const std::map<std::string, Mark>& marks, std::string pointer) {
  for (;;) {
    if (const auto found = marks.find(pointer); found != marks.end()) return found->second;
    if (pointer.empty()) return {};
    pointer.resize(pointer.rfind('/'));
  }
}

}  // namespace

Mark Document::key_at(const std::string& pointer) const {
  return find_mark(keys, pointer);
}

Mark Document::value_at(const std::string& pointer) const {
  return find_mark(values, pointer);
}

std::string at(const std::string& file, Mark mark, const std::string& what) {
  return fmt::format("{}:{}:{}: {}", file, mark.line, mark.column, what);
}

Result<Document> parse_yaml(std::string_view text, const std::string& file) {
  const auto refused = [&](Mark mark, const std::string& what) {
    return Error{ErrorKind::usage, at(file, mark, what), {}};
  };
  try {
    const auto documents = YAML::LoadAll(std::string(text));
    if (documents.empty()) return refused({}, "it is empty");
    if (documents.size() > 1) {
      return refused(mark_of(documents[1].Mark()), "a second document begins here; one is taken");
    }
    return Reader().read(documents[0]);
  } catch (const Fault& fault) {
    return refused(fault.mark, fault.what);
  } catch (const YAML::Exception& wrong) {
    return refused(mark_of(wrong.mark), fmt::format("it is not YAML: {}", wrong.msg));
  }
}

}  // namespace slipway::service
