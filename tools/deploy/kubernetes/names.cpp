#include "deploy/kubernetes/names.hpp"

#include <array>
#include <utility>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// Groups of the API; what is not here is of the core.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> groups{
    {{"deployments", "apps/v1"},
     {"leases", "coordination.k8s.io/v1"},
     {"endpointslices", "discovery.k8s.io/v1"},
     {"poddisruptionbudgets", "policy/v1"}}};

}  // namespace

std::string mark(std::string_view name) {
  return fmt::format("slipway.io/{}", name);
}

std::string Names::deployment(Colour colour) const {
  return fmt::format("{}-{}", service, to_string(colour));
}

std::string Names::snapshot(const std::string& hash) const {
  return fmt::format("{}-{}", service, hash.substr(0, 12));
}

std::string Names::path(std::string_view kind, std::string_view name) const {
  std::string root = "/api/v1";
  for (const auto& [kinds, group] : groups) {
    if (kinds == kind) root = fmt::format("/apis/{}", group);
  }
  return fmt::format("{}/namespaces/{}/{}{}{}", root, space, kind, name.empty() ? "" : "/", name);
}

std::string Names::pod_proxy(std::string_view pod, int port) const {
  return fmt::format("{}:{}/proxy", path("pods", pod), port);
}

std::string Names::selector(Colour colour) const {
  return fmt::format("labelSelector={}%3D{},{}%3D{}", label_name, service, label_colour,
                     to_string(colour));
}

}  // namespace slipway::deploy
