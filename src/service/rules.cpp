#include "service/rules.hpp"

#include "base/units.hpp"

#include <map>
#include <regex>
#include <utility>

#include <fmt/core.h>

namespace slipway::service {

Rule needs_request() {
  const Json embedded{{"properties", {{"start", {{"const", "embedded"}}}}},
                      {"required", {"start"}}};
  const auto has = [](const char* key) { return Json{{"required", {key}}}; };
  const Json no_request{{"not", has("request")}};
  const Json rate_needs_one{{"if", has("rate")},
                            {"then", {{"anyOf", {has("request"), has("target")}}}}};
  const Json not_both{{"not", {{"required", {"request", "target"}}}}};
  return {
      {{"if", embedded}, {"then", no_request}, {"else", {{"allOf", {rate_needs_one, not_both}}}}},
      [](const Json& given) -> Complaints {
        const bool starts_itself = given.value("start", "") == "embedded";
        const bool has_request = given.contains("request");
        if (starts_itself && has_request) {
          return {{"/request", "'start: embedded' sends requests of its own; leave out one", true}};
        }
        if (has_request && given.contains("target")) {
          return {{"/target", "'request' and 'target' exclude each other; leave out one", true}};
        }
        if (!starts_itself && given.contains("rate") && !has_request && !given.contains("target")) {
          return {{"/rate", "'rate' needs 'request' beside it", true}};
        }
        return {};
      }};
}

Rule is_expression(std::string key) {
  return {Json(), [key = std::move(key)](const Json& given) -> Complaints {
            if (!given.contains(key)) return {};
            try {
              (void)std::regex(given.at(key).get<std::string>());
            } catch (const std::regex_error&) {
              return {{"/" + key, "is no regular expression"}};
            }
            return {};
          }};
}

Rule not_longer(std::string key, const std::chrono::nanoseconds& value, std::string limit_key,
                const std::chrono::nanoseconds& limit) {
  return {Json(),
          [key = std::move(key), &value, limit_key = std::move(limit_key),
           &limit](const Json& given) -> Complaints {
            if (value <= limit) return {};
            return {{"/" + (given.contains(key) ? key : limit_key),
                     fmt::format("'{}' ({}) is longer than '{}' ({})", key, format_duration(value),
                                 limit_key, format_duration(limit))}};
          }};
}

Rule not_shorter(std::string key, const std::chrono::nanoseconds& value,
                 std::chrono::nanoseconds least) {
  return {Json(), [key = std::move(key), &value, least](const Json&) -> Complaints {
            if (value >= least) return {};
            return {{"/" + key, fmt::format("is shorter than {}", format_duration(least))}};
          }};
}

Rule secrets_are_not_written() {
  return {Json(), [](const Json& given) -> Complaints {
            const Json written = given.value("env", Json::object());
            const Json secrets = given.value("secrets", Json::array());
            for (std::size_t i = 0; i < secrets.size(); ++i) {
              const std::string name = secrets[i].get<std::string>();
              if (!written.contains(name)) continue;
              return {{fmt::format("/secrets/{}", i),
                       fmt::format("{} has a value in 'env'; leave out one", name)}};
            }
            return {};
          }};
}

Rule tcp_is_not_http() {
  return {Json(), [](const Json& given) -> Complaints {
            const int port = given.value("port", 8080);
            const Json tcp = given.value("tcp", Json::array());
            for (std::size_t i = 0; i < tcp.size(); ++i) {
              if (tcp[i] != port) continue;
              return {{fmt::format("/tcp/{}", i),
                       fmt::format("{} is the HTTP port; list only further ones", port)}};
            }
            return {};
          }};
}

Rule one_with_roles() {
  const Json roles{{"properties", {{"roles", {{"const", "signals"}}}}}, {"required", {"roles"}}};
  const Json one{
      {"properties", {{"kubernetes", {{"properties", {{"replicas", {{"maximum", 1}}}}}}}}}};
  return {{{"if", roles}, {"then", one}}, [](const Json& given) -> Complaints {
            const int replicas = given.value("kubernetes", Json::object()).value("replicas", 1);
            if (replicas == 1 || given.value("roles", "") != "signals") return {};
            return {{"/kubernetes/replicas",
                     "a service with roles keeps its peers' connections and balances to itself: "
                     "it is one instance, which moves; leave this out"}};
          }};
}

Rule bake_counts_in_cluster() {
  const Json cluster{{"properties", {{"platform", {{"const", "kubernetes"}}}}},
                     {"required", {"platform"}}};
  // A window of no time is none.
  const Json window{{"properties", {{"window", {{"type", "string"}, {"pattern", "[1-9]"}}}}},
                    {"required", {"window"}}};
  const Json bake{{"if", window}, {"then", {{"required", {"good"}}}}};
  return {{{"if", cluster}, {"then", {{"properties", {{"bake", bake}}}}}},
          [](const Json& given) -> Complaints {
            const Json rules = given.value("bake", Json::object());
            const bool bakes =
                rules.value("window", "").find_first_of("123456789") != std::string::npos;
            if (given.value("platform", "") != "kubernetes" || !bakes || rules.contains("good")) {
              return {};
            }
            return {{"/bake/window",
                     "no proxy of ours counts answers in a cluster: name the service's own "
                     "counters, 'good' and 'bad', or leave out 'window'"}};
          }};
}

Rule places_differ() {
  return {Json(), [](const Json& given) {
            Complaints complaints;
            constexpr const char* temporary = "/tmp";
            std::map<std::string, std::string> places{
                {temporary, "the one in memory that every service has"}};
            const auto add = [&](const std::string& pointer, const std::string& place) {
              const auto [before, is_new] = places.emplace(place, pointer);
              if (is_new) return;
              complaints.push_back(
                  {pointer, fmt::format("{} is used twice; first by {}", place, before->second)});
            };
            for (const std::string section : {"config", "volumes"}) {
              const Json mounts = given.value(section, Json::object());
              for (const auto& [name, place] : mounts.items()) {
                add(fmt::format("/{}/{}", section, name), place.get<std::string>());
              }
            }
            const Json writable = given.value("writable", Json::array());
            for (std::size_t i = 0; i < writable.size(); ++i) {
              if (writable[i] == temporary) continue;
              add(fmt::format("/writable/{}", i), writable[i].get<std::string>());
            }
            return complaints;
          }};
}

}  // namespace slipway::service
