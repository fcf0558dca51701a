#include "connector/json_section.hpp"

#include <charconv>
#include <numeric>

namespace slipway::connector {

Section::Section(std::string path, const nlohmann::json& json)
    : path_(std::move(path)), json_(&json) {
  if (!json.is_object()) {
    throw ConfigRefused((path_.empty() ? "the document" : path_) + " is not an object");
  }
}

void Section::refuse(const std::string& key, const std::string& why) const {
  throw ConfigRefused(name(key) + ": " + why);
}

const nlohmann::json* Section::find(const char* key) {
  read_.insert(key);
  const auto found = json_->find(key);
  return found == json_->end() || found->is_null() ? nullptr : &*found;
}

const nlohmann::json& Section::required(const char* key) {
  const nlohmann::json* found = find(key);
  if (found == nullptr) refuse(key, "is missing");
  return *found;
}

std::string Section::text(const char* key) {
  const nlohmann::json& value = required(key);
  if (!value.is_string()) refuse(key, "is not a string");
  return value.get<std::string>();
}

std::string Section::text(const char* key, const std::string& otherwise) {
  return find(key) == nullptr ? otherwise : text(key);
}

double Section::number(const char* key) {
  const nlohmann::json& value = required(key);
  if (!value.is_number() || !(value.get<double>() > 0)) refuse(key, "is not a positive number");
  return value.get<double>();
}

double Section::number(const char* key, double otherwise) {
  return find(key) == nullptr ? otherwise : number(key);
}

std::int64_t Section::parse_whole(const char* key, const std::string& text, std::int64_t least,
                                  std::int64_t most) const {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc{} || stop != end || value < least || value > most) {
    refuse(key, fmt::format("'{}' is not a whole number from {} to {}", text, least, most));
  }
  return value;
}

std::int64_t Section::whole(const char* key, std::int64_t least, std::int64_t most) {
  const nlohmann::json& value = required(key);
  if (value.is_string()) return parse_whole(key, value.get<std::string>(), least, most);
  return parse_whole(key, to_text(value), least, most);
}

std::int64_t Section::whole(const char* key, std::int64_t otherwise, std::int64_t least,
                            std::int64_t most) {
  return find(key) == nullptr ? otherwise : whole(key, least, most);
}

std::uint64_t Section::natural(const char* key, std::uint64_t otherwise) {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return otherwise;
  const std::string text = value->is_string() ? value->get<std::string>() : value->dump();
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc{} || stop != end) {
    refuse(key, fmt::format("'{}' is not a whole number from 0 to 2^64 - 1", text));
  }
  return number;
}

Ratio Section::decimal(const char* key) {
  const nlohmann::json& value = required(key);
  const std::string text = value.is_string() ? value.get<std::string>() : to_text(value);
  Ratio ratio{0, 1};
  bool fraction = false;
  bool valid = !text.empty() && text.size() <= 18;
  for (const char c : text) {
    if (c == '.' && !fraction) {
      fraction = true;
    } else if (c >= '0' && c <= '9') {
      ratio.numerator = ratio.numerator * 10 + static_cast<std::uint64_t>(c - '0');
      if (fraction) ratio.denominator *= 10;
    } else {
      valid = false;
    }
  }
  if (!valid || ratio.numerator == 0) {
    refuse(key, fmt::format("'{}' is not a positive decimal number of up to 17 digits", text));
  }
  const std::uint64_t divisor = std::gcd(ratio.numerator, ratio.denominator);
  return {ratio.numerator / divisor, ratio.denominator / divisor};
}

std::unique_ptr<Section> Section::section(const char* key) {
  const nlohmann::json* value = find(key);
  return value == nullptr ? nullptr : std::make_unique<Section>(name(key), *value);
}

std::vector<Section> Section::list(const char* key) {
  std::vector<Section> sections;
  const nlohmann::json* value = find(key);
  if (value == nullptr) return sections;
  if (!value->is_array()) refuse(key, "is not a list");
  for (std::size_t i = 0; i < value->size(); ++i) {
    sections.emplace_back(fmt::format("{}[{}]", name(key), i), (*value)[i]);
  }
  return sections;
}

std::vector<std::string> Section::keys() const {
  std::vector<std::string> all;
  for (const auto& item : json_->items()) all.push_back(item.key());
  return all;
}

void Section::finish() const {
  for (const auto& item : json_->items()) {
    if (!read_.contains(item.key())) refuse(item.key(), "is not a known field");
  }
}

}  // namespace slipway::connector
