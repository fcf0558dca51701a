#include "deploy/haproxy/making.hpp"

#include "base/durable_file.hpp"
#include "base/json.hpp"
#include "base/sha256.hpp"
#include "service/document.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

constexpr std::string_view own_haproxy_file = "haproxyConfig";
// Those whose values are hashes, which tell people nothing.
constexpr std::array hashed{own_haproxy_file, std::string_view("composeFile"),
                            std::string_view("variables")};

std::string hash_of_file(const std::filesystem::path& file) {
  const auto content = read_file(file, std::size_t{4} << 20);
  return content ? sha256_hex(*content) : "";
}

// Of an own compose file only the service haproxy: the colours are made from it each time. Empty
// where it cannot be read so.
std::string hash_of_service(const std::filesystem::path& file) {
  const auto content = read_file(file, std::size_t{4} << 20);
  if (!content) return "";
  const auto document = service::parse_yaml(*content, file.string());
  if (!document) return "";
  return sha256_hex(to_text(document->value.value("/services/haproxy"_json_pointer, Json())));
}

}  // namespace

Making making_of(const Config& config) {
  Json ports = Json::object();
  for (const auto& [port, outside] : config.ports) {
    if (port != outside) ports[std::to_string(port)] = outside;
  }
  Making making{
      {"haproxyImage", config.haproxy_image.empty() ? "haproxy:2.8" : config.haproxy_image},
      {"ports", to_text(ports)},
      {"haproxyMetricsPort", std::to_string(config.haproxy_metrics_port)},
      {std::string(own_haproxy_file),
       config.haproxy_config.empty() ? "" : hash_of_file(config.haproxy_config)},
      {"composeFile", config.compose_file.empty() ? "" : hash_of_service(config.compose_file)}};
  // Nothing that deploy itself makes for HAProxy reads them; helpers for credentials do.
  if (!config.haproxy_config.empty() || !config.compose_file.empty()) {
    making["variables"] = sha256_hex(to_text(Json(config.variables)));
  }
  return making;
}

std::string to_json_text(const Making& making) {
  return to_text(Json(making)) + "\n";
}

Making parse_making(std::string_view text) {
  Making making;
  const Json json = parse_json(text);
  if (json.is_object()) {
    for (const auto& [field, value] : json.items()) {
      if (value.is_string()) making[field] = value.get<std::string>();
    }
  } else if (text.size() == 64) {
    making[std::string(own_haproxy_file)] = text;
  }
  return making;
}

std::string differences(const Making& made, const Making& now) {
  std::string all;
  for (const auto& [field, value] : now) {
    const auto before = made.find(field);
    if (before == made.end() || before->second == value) continue;
    all += all.empty() ? field : ", " + field;
    if (std::find(hashed.begin(), hashed.end(), field) == hashed.end()) {
      all += fmt::format(" ({}, made with {})", value, before->second);
    }
  }
  return all;
}

}  // namespace slipway::deploy
