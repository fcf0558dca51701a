// What is asked of a cluster and what it says, without one.
#include "base/units.hpp"
#include "deploy/kubernetes/cluster_snapshot.hpp"
#include "deploy/kubernetes/lease.hpp"
#include "deploy/kubernetes/patch.hpp"
#include "deploy/kubernetes/pods.hpp"
#include "deploy/kubernetes/registry.hpp"
#include "deploy/kubernetes/rendering.hpp"
#include "deploy/model/plan_json.hpp"
#include "service/read_service.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <fstream>
#include <unistd.h>

using namespace slipway;
using namespace slipway::deploy;
using std::chrono::seconds;

namespace {

const Names names{"api", "shop"};
const std::string digest = "sha256:" + std::string(64, 'a');
const std::string other_digest = "sha256:" + std::string(64, 'b');
const std::string snapshot(64, '5');

service::Service described(const std::string& yaml) {
  auto service = service::parse_service(yaml, "slipway.yml", {"api", "registry.test/api"});
  INFO((service ? "" : service.error().text()));
  REQUIRE(service.has_value());
  return *service;
}

Release release() {
  Release release;
  release.repository = "registry.test/api";
  release.digest = digest;
  release.snapshot = snapshot;
  return release;
}

Json placed(const service::Service& service, const Supplied& supplied = {}, int replicas = 1) {
  return place(deployment_template(names, service, supplied, replicas), names,
               {Colour::green, release(), "t7"});
}

const Json& container_in(const Json& deployment) {
  return deployment.at("spec").at("template").at("spec").at("containers").at(0);
}

JsonValue value_of(const Json& json) {
  return JsonValue::parse(to_text(json));
}

// A pod of the release, that runs.
Json pod(const std::string& name) {
  return {{"metadata", {{"name", name}}},
          {"spec",
           {{"containers", Json::array({{{"name", "service"},
                                         {"image", "registry.test/api@" + digest},
                                         {"resources", {{"limits", {{"memory", "64Mi"}}}}}}})}}},
          {"status",
           {{"phase", "Running"},
            {"containerStatuses", Json::array({{{"name", "service"},
                                                {"ready", true},
                                                {"restartCount", 0},
                                                {"imageID", "registry.test/api@" + digest},
                                                {"state", {{"running", Json::object()}}}}})}}}};
}

Json& status_of(Json& pod) {
  return pod["status"]["containerStatuses"][0];
}

Json placed_with_ready(int pods) {
  Json deployment = placed(described("{}"), {}, 2);
  deployment["status"]["readyReplicas"] = pods;
  return deployment;
}

Instance seen(const std::vector<Json>& pods, Json deployment = placed(described("{}"), {}, 2)) {
  // That the controllers know of all pods, where nothing else is said.
  deployment["status"].emplace("readyReplicas", pods.size());
  return read_instance(value_of(deployment), value_of({{"items", pods}}));
}

}  // namespace

TEST_CASE("a service becomes a Deployment with what slipway.yml says and nothing it does not",
          "[cluster]") {
  const Supplied supplied{{{"TOKEN", "s3cret"}}, {{"app", {{"a.json", "{}"}}}}};
  const Json deployment = placed(
      described("{port: 9000, tcp: [9001], ready: /ready, secrets: [TOKEN], env: {MODE: fast}, "
                "config: {app: /etc/app}, volumes: {state: /data}, writable: [/run/app], "
                "capabilities: [CHOWN], drain: 90s, limits: {memory: 2g, cpus: 0.5}}"),
      supplied, 3);
  CHECK(deployment.at("metadata").at("name") == "api-green");
  CHECK(deployment.at("spec").at("replicas") == 3);
  const Json& container = container_in(deployment);
  CHECK(container.at("image") == "registry.test/api@" + digest);
  CHECK(container.at("ports").size() == 2);
  CHECK(container.at("readinessProbe").at("httpGet").at("path") == "/ready");
  CHECK(container.at("resources").at("limits").at("memory") == "2Gi");
  CHECK(container.at("resources").at("limits").at("cpu") == "500m");
  CHECK(container.at("securityContext").at("capabilities").at("add") == Json{"CHOWN"});
  CHECK(container.at("securityContext").at("readOnlyRootFilesystem") == true);
  const Json& pod_spec = deployment.at("spec").at("template").at("spec");
  CHECK(pod_spec.at("terminationGracePeriodSeconds") == 95);
  CHECK(pod_spec.at("automountServiceAccountToken") == false);
  const std::string text = to_text(deployment);
  CHECK(text.find("s3cret") == std::string::npos);
  CHECK(text.find('<') == std::string::npos);  // every placeholder is filled
  CHECK_THAT(text, ContainsSubstring(R"({"key":"env.TOKEN","name":"api-555555555555"})"));
  CHECK_THAT(text, ContainsSubstring(R"({"key":"config.app.a.json","path":"a.json"})"));
  CHECK_THAT(text, ContainsSubstring(R"({"claimName":"api-state"})"));
  const auto data = data_of(supplied);
  CHECK(data.at("env.TOKEN") == "s3cret");
  CHECK(data.at("config.app.a.json") == "{}");
}

TEST_CASE("a standby with roles is asked whether it lives, since it is told not to be ready",
          "[cluster]") {
  const auto path = [](const std::string& yaml) {
    return container_in(placed(described(yaml))).at("readinessProbe").at("httpGet").at("path");
  };
  CHECK(path("{health: /alive, ready: /ready}") == "/ready");
  CHECK(path("{health: /alive, ready: /ready, roles: signals}") == "/alive");
}

TEST_CASE("a value of the operators' Secret stands before one of slipway.yml", "[cluster]") {
  const Json container =
      container_in(placed(described("{env: {MODE: fast}}"), {{{"MODE", "slow"}}, {}}));
  REQUIRE(container.at("env").size() == 1);
  CHECK(container.at("env").at(0).contains("valueFrom"));
}

TEST_CASE("the Service leads to one colour, or to none, and has the ports of both", "[cluster]") {
  const Services services{described("{tcp: [4000]}"), described("{port: 9000}")};
  const Json none = service_object(names, services, {});
  CHECK(none.at("spec").at("selector").at("slipway.io/colour") == "none");
  CHECK(none.at("spec").at("ports").size() == 3);
  CHECK(none.at("spec").at("publishNotReadyAddresses") == false);
  const Services with_roles{described("{roles: signals}"), described("{}")};
  const Json blue = service_object(names, with_roles, Colour::blue);
  CHECK(blue.at("spec").at("selector").at("slipway.io/colour") == "blue");
  CHECK(blue.at("spec").at("ports").size() == 1);
  CHECK(blue.at("spec").at("publishNotReadyAddresses") == true);
}

TEST_CASE("a colour is as many pods as are ready, of those that are wanted", "[cluster]") {
  CHECK_FALSE(read_instance({}, {}).exists);
  const Instance both = seen({pod("a"), pod("b")});
  CHECK(both.exists);
  CHECK(both.running);
  CHECK(both.ready == 2);
  CHECK(both.desired == 2);
  CHECK(both.transaction == "t7");
  CHECK(both.digest == digest);
  CHECK(both.image_id == digest);
  CHECK(both.snapshot == snapshot);
  CHECK(both.reason.empty());
  // Only asked for as yet.
  const Instance none = seen({});
  CHECK(none.running);
  CHECK(none.ready == 0);
  Json leaving = pod("c");
  leaving["metadata"]["deletionTimestamp"] = "2026-11-28T00:00:00Z";
  CHECK(seen({pod("a"), leaving}).ready == 1);
}

TEST_CASE("a pod that the cluster's controllers do not know of yet is not ready", "[cluster]") {
  const Instance instance = seen({pod("a"), pod("b")}, placed_with_ready(1));
  CHECK(instance.running);
  CHECK(instance.ready == 1);
  CHECK_THAT(instance.reason, ContainsSubstring("controllers"));
}

TEST_CASE("the slices lead to a colour once its pods are all that they name", "[cluster]") {
  const auto slices = [](const std::vector<std::string>& pods) {
    Json endpoints = Json::array();
    for (const std::string& name : pods) endpoints.push_back({{"targetRef", {{"name", name}}}});
    return value_of({{"items", Json::array({{{"endpoints", endpoints}}})}});
  };
  const JsonValue pods = value_of({{"items", Json::array({pod("a"), pod("b")})}});
  CHECK(lead_only_to(pods, slices({"a", "b"})));
  CHECK(lead_only_to(pods, slices({"b"})));  // the other one's turn comes
  CHECK_FALSE(lead_only_to(pods, slices({"a", "of the other colour"})));
  CHECK_FALSE(lead_only_to(pods, slices({})));  // emptied on the way
  CHECK(lead_only_to({}, slices({})));          // there is nobody to lead to
}

TEST_CASE("why a pod does not run is told in the cluster's words, and ends what cannot pass",
          "[cluster]") {
  struct Row {
    std::string reason, message;
    bool running;
  };
  const auto [reason, message, running] =
      GENERATE(Row{"ErrImagePull", "not found", true}, Row{"ImagePullBackOff", "back-off", false},
               Row{"CreateContainerConfigError", "no secret", false},
               Row{"CrashLoopBackOff", "back-off 10s", true});
  Json waiting = pod("a");
  status_of(waiting)["state"] = {{"waiting", {{"reason", reason}, {"message", message}}}};
  status_of(waiting)["ready"] = false;
  INFO(reason);
  CHECK(seen({waiting}).running == running);
  // One more that cannot begin does not end what serves.
  const Instance instance = seen({waiting, pod("b")}, placed_with_ready(1));
  CHECK(instance.running);
  CHECK(instance.reason == reason + ": " + message);
  CHECK(instance.ready == 1);
}

TEST_CASE("what waits before the service, or beside it, is told, too", "[cluster]") {
  Json waiting = pod("a");
  status_of(waiting) = {{"name", "service"},
                        {"ready", false},
                        {"state", {{"waiting", {{"reason", "PodInitializing"}}}}}};
  waiting["status"]["initContainerStatuses"] = Json::array(
      {{{"name", "first"},
        {"state", {{"waiting", {{"reason", "ImagePullBackOff"}, {"message", "nowhere"}}}}}}});
  const Instance instance = seen({waiting});
  CHECK_FALSE(instance.running);
  CHECK(instance.reason == "ImagePullBackOff: nowhere");
}

TEST_CASE("a quota that refuses pods is told at once", "[cluster]") {
  Json deployment = placed(described("{}"));
  deployment["status"]["conditions"] = Json::array({{{"type", "ReplicaFailure"},
                                                     {"status", "True"},
                                                     {"reason", "FailedCreate"},
                                                     {"message", "exceeded quota: pods"}}});
  const Instance instance = seen({}, deployment);
  CHECK_FALSE(instance.running);
  CHECK(instance.reason == "FailedCreate: exceeded quota: pods");
  CHECK(seen({pod("a")}, deployment).running);
}

TEST_CASE("a pod that no node takes waits, and one that was evicted is named", "[cluster]") {
  Json pending = pod("a");
  pending["status"] = {{"phase", "Pending"},
                       {"conditions", Json::array({{{"type", "PodScheduled"},
                                                    {"status", "False"},
                                                    {"message", "0/2 nodes are available"}}})}};
  const Instance instance = seen({pending});
  CHECK(instance.running);
  CHECK(instance.reason == "no node takes it: 0/2 nodes are available");
  Json evicted = pod("b");
  evicted["status"] = {{"phase", "Failed"}, {"reason", "Evicted"}, {"message", "low on memory"}};
  CHECK(seen({evicted}).reason == "Evicted: low on memory");
}

TEST_CASE("restarts are counted, and a death for want of memory has its limit", "[cluster]") {
  Json died = pod("a");
  status_of(died)["restartCount"] = 2;
  status_of(died)["lastState"] = {
      {"terminated",
       {{"reason", "OOMKilled"}, {"exitCode", 137}, {"finishedAt", "2026-01-31T03:12:00Z"}}}};
  Json before = pod("b");
  status_of(before)["lastState"] = {
      {"terminated", {{"exitCode", 1}, {"finishedAt", "2026-01-31T03:11:00Z"}}}};
  const Instance instance = seen({died, before});
  CHECK(instance.restart_count == 2);
  CHECK(instance.ended == "2026-01-31T03:12:00.000Z");
  CHECK(end_of("0001-01-01T00:00:00Z").empty());
  CHECK(end_of("yesterday").empty());
  CHECK(instance.exit_code == 137);
  CHECK_THAT(instance.reason, ContainsSubstring("its limit of 64Mi"));
  CHECK_THAT(instance.reason, !ContainsSubstring("liveness"));
}

TEST_CASE("a death whose cause the runtime heard too late has the two that it can have",
          "[cluster]") {
  Json killed = pod("a");
  status_of(killed)["lastState"] = {{"terminated", {{"reason", "Error"}, {"exitCode", 137}}}};
  CHECK_THAT(seen({killed}).reason, ContainsSubstring("more memory than its limit of 64Mi") &&
                                        ContainsSubstring("liveness"));
  status_of(killed)["lastState"]["terminated"]["exitCode"] = 143;
  CHECK(seen({killed}).reason.empty());
}

TEST_CASE("what a webhook put in the image's place is what counts", "[cluster]") {
  Json changed = pod("a");
  changed["spec"]["containers"][0]["image"] = "mirror.test/api@" + other_digest;
  const Instance instance = seen({changed});
  CHECK(instance.digest == other_digest);
  CHECK_THAT(instance.reason, ContainsSubstring("mirror.test/api@" + other_digest));
  changed["spec"]["containers"][0]["image"] = "mirror.test/api:v1";
  CHECK(seen({changed}).digest.empty());
}

TEST_CASE("what is not in the form that it must have is none of ours", "[cluster]") {
  Json deployment = placed(described("{}"));
  auto& annotations = deployment["metadata"]["annotations"];
  annotations["slipway.io/transaction"] = "../t1";
  annotations["slipway.io/digest"] = "sha256:short";
  annotations["slipway.io/snapshot"] = std::string(64, 'Z');
  const Instance instance = seen({}, deployment);
  CHECK(instance.transaction.empty());
  CHECK(instance.digest.empty());
  CHECK(instance.snapshot.empty());
}

TEST_CASE("the last warning about a pod is found among those of others", "[cluster]") {
  const auto event = [](const char* about, const char* at, const char* message) {
    return Json{{"involvedObject", {{"name", about}}},
                {"lastTimestamp", at},
                {"reason", "FailedMount"},
                {"message", message}};
  };
  const Json events{
      {"items",
       {event("a", "2026-11-28T00:00:02Z", "later"), event("a", "2026-11-28T00:00:01Z", "earlier"),
        event("z", "2026-11-28T00:00:03Z", "another's")}}};
  CHECK(last_warning(value_of(events), value_of({{"items", {pod("a")}}})) == "FailedMount: later");
  CHECK(last_warning(value_of(events), value_of({{"items", {pod("q")}}})).empty());
}

TEST_CASE("a lease is held while it is renewed, and by nobody who is dead here", "[cluster]") {
  const auto now = *parse_utc("2026-11-28T12:00:00.000000Z");
  const LockOwner owner{7, "deploy x", "ci", "2026-11-28T11:59:00Z", "prove"};
  LeaseState lease =
      read_lease(JsonValue::parse(write_lease("api-lock", "h/b/7/1", owner, now, "4")));
  CHECK(lease.holder == "h/b/7/1");
  CHECK(lease.version == "4");
  CHECK(lease.owner.step == "prove");
  CHECK(is_held(lease, now + seconds(14), false));
  CHECK_FALSE(is_held(lease, now + seconds(15), false));
  CHECK_FALSE(is_held(lease, now, true));
  lease.holder.clear();
  CHECK_FALSE(is_held(lease, now, false));
  CHECK_FALSE(is_held({}, now, false));
}

TEST_CASE("a process is told from all others, here and elsewhere", "[cluster]") {
  const auto self = machine_process(::getpid());
  REQUIRE(self.has_value());
  CHECK(pid_here(*self) == ::getpid());
  CHECK_FALSE(is_dead_here(*self));
  // The same number, given again to another.
  CHECK(is_dead_here(*self + "0"));
  CHECK(pid_here(*self + "0") == 0);
  CHECK_FALSE(is_dead_here("elsewhere/boot/1/1"));
  // Another container on this machine has process IDs of its own.
  std::string beside = *self;
  beside.replace(beside.find("pid:["), 5, "pid:[1");
  CHECK_FALSE(is_dead_here(beside));
  CHECK(pid_here(beside) == 0);
  CHECK(pid_here("elsewhere/boot/1/1") == 0);
}

TEST_CASE("a registry's answer is a release, or names why not", "[cluster]") {
  const Json answer{{"Digest", digest},
                    {"Labels",
                     {{"org.opencontainers.image.revision", "c0ffee"},
                      {"org.opencontainers.image.version", "1.2.0"},
                      {"io.slipway.service", "{}"}}}};
  const auto found = read_inspection(to_text(answer), {"registry.test/api", "v1", ""});
  REQUIRE(found.has_value());
  CHECK(found->digest == digest);
  CHECK(found->image_id == digest);
  CHECK(found->revision == "c0ffee");
  CHECK(found->version == "1.2.0");
  CHECK(found->description == "{}");
  CHECK_FALSE(
      read_inspection(to_text(answer), {"registry.test/api", "", other_digest}).has_value());
  CHECK_FALSE(read_inspection("<html>", {"registry.test/api", "v1", ""}).has_value());
}

TEST_CASE("a service with roles is one instance, whatever a patch says", "[cluster]") {
  const service::Service service = described("{roles: signals}");
  Json deployment = placed(service);
  CHECK(check_replicas(service, deployment).has_value());
  deployment["spec"]["replicas"] = 3;
  const auto refused = check_replicas(service, deployment);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == ErrorKind::usage);
  CHECK(check_replicas(described("{}"), deployment).has_value());
}

TEST_CASE("a patch names a kind that is ours", "[cluster]") {
  const test::TemporaryDirectory directory;
  const auto read = [&](const std::string& text) {
    const auto file = directory.path() / "patch.yml";
    std::ofstream(file) << text;
    return read_patches(file);
  };
  const auto right = read("Service: {spec: {type: NodePort}}\n");
  REQUIRE(right.has_value());
  CHECK(right->at("Service").at("spec").at("type") == "NodePort");
  for (const char* wrong : {"Pod: {}\n", "Service: 1\n", "[]\n", "Deployment:\n"}) {
    INFO(wrong);
    const auto refused = read(wrong);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::usage);
  }
}
