#pragma once

#include "base/error.hpp"
#include "base/json.hpp"
#include "connector/ratio.hpp"

#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/core.h>

// Reading a JSON document field by field so that whatever is wrong is named by its path, also a
// field that nothing reads. Only for the configuration: errors travel as exceptions inside it and
// end in read_json.
namespace slipway::connector {

class ConfigRefused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Section {
 public:
  Section(std::string path, const nlohmann::json& json);

  std::string text(const char* key);
  std::string text(const char* key, const std::string& otherwise);
  double number(const char* key);
  double number(const char* key, double otherwise);
  // A whole number, also as a decimal string (JSON numbers are exact only up to 2^53).
  std::int64_t whole(const char* key, std::int64_t least, std::int64_t most);
  std::int64_t whole(const char* key, std::int64_t otherwise, std::int64_t least,
                     std::int64_t most);
  std::uint64_t natural(const char* key, std::uint64_t otherwise);
  // A positive decimal number such as "1.08", exactly.
  Ratio decimal(const char* key);
  std::unique_ptr<Section> section(const char* key);
  std::vector<Section> list(const char* key);
  std::vector<std::string> keys() const;

  std::int64_t parse_whole(const char* key, const std::string& text, std::int64_t least,
                           std::int64_t most) const;

  // Refuses a field that nothing has read.
  void finish() const;
  [[noreturn]] void refuse(const std::string& key, const std::string& why) const;

 private:
  const nlohmann::json* find(const char* key);
  const nlohmann::json& required(const char* key);
  std::string name(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }

  std::string path_;
  const nlohmann::json* json_;
  std::set<std::string> read_;
};

template <typename Read>
auto read_json(const std::string& document, Read read)
    -> Result<decltype(read(std::declval<Section&>()))> {
  try {
    std::string why;
    const Json json = parse_json(document, why);
    if (json.is_discarded()) {
      return Error{ErrorKind::usage, "configuration is not JSON: " + why, {}};
    }
    Section root("", json);
    return read(root);
  } catch (const ConfigRefused& refused) {
    return Error{ErrorKind::usage, fmt::format("configuration: {}", refused.what()), {}};
  } catch (const nlohmann::json::exception& broken) {
    return Error{ErrorKind::usage, fmt::format("configuration is not JSON: {}", broken.what()), {}};
  }
}

}  // namespace slipway::connector
