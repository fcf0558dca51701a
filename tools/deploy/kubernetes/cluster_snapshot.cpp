#include "deploy/kubernetes/cluster_snapshot.hpp"

#include "base/base64.hpp"
#include "base/sha256.hpp"
#include "deploy/model/plan_json.hpp"
#include "deploy/state/secrets.hpp"
#include "service/read_service.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

constexpr const char* service_key = "slipway.yml";
constexpr const char* deployment_key = "deployment.json";

std::string hash_of(const std::map<std::string, std::string>& data) {
  std::string all;
  for (const auto& [key, content] : data) all += fmt::format("{} {}\n", key, sha256_hex(content));
  return sha256_hex(all);
}

std::string encoded(const std::string& bytes) {
  return base64({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

}  // namespace

std::string release_mark(const Release& release) {
  return mark("release-" + release.digest.substr(7, 12));
}

ClusterSnapshot::ClusterSnapshot(ClusterApi& api, Names names, Release release,
                                 const service::Service& service, const Supplied& supplied,
                                 const Json& deployment)
    : api_(api), names_(std::move(names)), release_(std::move(release)), data_(data_of(supplied)) {
  data_[service_key] = service::to_json_text(service);
  data_[deployment_key] = to_text(deployment);
  hash_ = hash_of(data_);
  release_.snapshot = hash_;
}

Result<void> ClusterSnapshot::write() const {
  Json secret{
      {"apiVersion", "v1"},
      {"kind", "Secret"},
      {"type", "Opaque"},
      {"immutable", true},
      {"metadata",
       {{"name", names_.snapshot(hash_)},
        {"labels",
         {{label_name, names_.service}, {label_manager, manager}, {label_part, "snapshot"}}},
        // Whose it is stands in it from the first: one that nobody retains is removed by that.
        {"annotations",
         {{mark("snapshot"), hash_}, {release_mark(release_), to_json_text(release_)}}}}},
      {"data", Json::object()}};
  for (const auto& [key, content] : data_) secret["data"][key] = encoded(content);
  auto made =
      api_.demand("write what it runs with", "POST", names_.path("secrets"), to_text(secret));
  if (made) return {};
  if (made.error().kind != ErrorKind::busy) return made.error();
  // It is there already, and nobody can have changed it since.
  auto there =
      api_.demand("read what it runs with", "GET", names_.path("secrets", names_.snapshot(hash_)));
  if (!there) return there.error();
  if (hash_of(decoded_data(*there)) == hash_) return {};
  return Error{ErrorKind::corrupt,
               fmt::format("the Secret {} is not what its name says", names_.snapshot(hash_)),
               "remove it, and deploy again"};
}

std::map<std::string, std::string> decoded_data(const JsonValue& object) {
  std::map<std::string, std::string> data;
  const bool is_secret = object.at({"kind"}).text() == "Secret";
  for (const auto& [key, value] : object.at({"data"}).members()) {
    data[key] = is_secret ? from_base64(value.text()).value_or("") : value.text();
  }
  for (const auto& [key, value] : object.at({"binaryData"}).members()) {
    data[key] = from_base64(value.text()).value_or("");
  }
  return data;
}

Result<StoredSnapshot> read_stored(ClusterApi& api, const std::string& hash) {
  const auto names = api.names();
  if (!names) return names.error();
  auto object =
      api.demand("read what it runs with", "GET", names->path("secrets", names->snapshot(hash)));
  if (!object) return object.error();
  const auto data = decoded_data(*object);
  if (hash_of(data) != hash) {
    return Error{ErrorKind::corrupt, fmt::format("the Secret {} is damaged", names->snapshot(hash)),
                 "do not trust it: deploy the version anew"};
  }
  StoredSnapshot stored{data.at(service_key), parse_json(data.at(deployment_key)), {}};
  std::vector<std::string> variables;
  std::vector<std::string> files;
  for (const auto& [key, content] : data) {
    if (key.starts_with("env.")) variables.push_back(content);
    if (key.starts_with("config.")) files.push_back(content);
  }
  stored.secret = secrets_in(variables, files);
  return stored;
}

}  // namespace slipway::deploy
