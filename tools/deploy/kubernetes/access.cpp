#include "deploy/kubernetes/access.hpp"

#include "base/json.hpp"

#include <fmt/format.h>

namespace slipway::deploy {

const std::vector<AccessRule>& needed_access() {
  static const std::vector<AccessRule> rules{
      {"", {"services"}, {"get", "create", "patch"}},
      {"", {"configmaps"}, {"get", "create", "update", "delete"}},
      // Snapshots; whoever may make pods in a namespace can read all its Secrets in any case.
      {"", {"secrets"}, {"get", "list", "create", "patch", "delete"}},
      // kubectl looks at a pod before it runs a command in it.
      {"", {"pods"}, {"get", "list", "delete"}},
      {"", {"pods/log", "pods/proxy"}, {"get"}},
      // GET is how newer clients begin to run a command in a pod, POST how older ones do.
      {"", {"pods/exec"}, {"get", "create"}},
      {"", {"events"}, {"list"}},
      {"apps", {"deployments"}, {"get", "create", "patch", "delete"}},
      {"coordination.k8s.io", {"leases"}, {"get", "create", "update"}},
      {"discovery.k8s.io", {"endpointslices"}, {"list"}},
      {"policy", {"poddisruptionbudgets"}, {"get", "create"}}};
  return rules;
}

std::string access_as_rules() {
  Json rules = Json::array();
  for (const AccessRule& rule : needed_access()) {
    rules.push_back(
        {{"apiGroups", {rule.group}}, {"resources", rule.resources}, {"verbs", rule.verbs}});
  }
  return to_text(rules, 2);
}

Result<void> check_access(ClusterApi& api) {
  const auto names = api.names();
  if (!names) return names.error();
  std::vector<std::string> missing;
  for (const AccessRule& rule : needed_access()) {
    for (const std::string& resource : rule.resources) {
      for (const std::string& verb : rule.verbs) {
        const std::size_t slash = resource.find('/');
        Json attributes{{"namespace", names->space},
                        {"verb", verb},
                        {"group", rule.group},
                        {"resource", resource.substr(0, slash)}};
        if (slash != std::string::npos) attributes["subresource"] = resource.substr(slash + 1);
        const Json review{{"apiVersion", "authorization.k8s.io/v1"},
                          {"kind", "SelfSubjectAccessReview"},
                          {"spec", {{"resourceAttributes", attributes}}}};
        auto answer =
            api.demand("ask what is allowed", "POST",
                       "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", to_text(review));
        if (!answer) return answer.error();
        if (!answer->at({"status", "allowed"}).is_true()) {
          missing.push_back(fmt::format("{} {}", verb, resource));
        }
      }
    }
  }
  if (missing.empty()) return {};
  return Error{ErrorKind::usage,
               fmt::format("the account in use may not, in the namespace {}: {}", names->space,
                           fmt::join(missing, ", ")),
               "'slipway setup --kubernetes' prints the Role that is needed"};
}

}  // namespace slipway::deploy
