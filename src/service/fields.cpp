#include "service/fields.hpp"

#include "service/rules.hpp"

namespace slipway::service {
namespace {

constexpr Shape service_name{R"(^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$)",
                             "a name of small letters, digits and hyphens"};
constexpr Shape image_name{
    R"(^[a-z0-9][a-z0-9._-]*(:[0-9]{1,5})?(/[a-z0-9][a-z0-9._-]*)*(@sha256:[0-9a-f]{64})?$)",
    "an image's repository without a tag, or repository@sha256:..."};
constexpr Shape url_path{R"(^/[!-~]*$)", "a path that begins with /"};
constexpr Shape file_path{R"(^(?!.*(\.\.|//))/[A-Za-z0-9._/-]*[A-Za-z0-9_-]$)",
                          "an absolute path inside the container"};
constexpr Shape short_name{R"(^[a-z0-9][a-z0-9_.-]{0,62}$)",
                           "a name of small letters, digits, _, . and -"};
constexpr Shape word{R"(^[^\x00-\x1f]+$)", "a text on one line"};
constexpr Shape capability{R"(^(?!CAP_|ALL$)[A-Z_]+$)",
                           "a capability's name without CAP_, such as NET_BIND_SERVICE"};
constexpr Shape memory_size{R"(^[1-9][0-9]{0,6}[kmg]$)", "a size such as 512m or 2g"};
constexpr Shape request_line{R"(^(GET|HEAD|POST|PUT|PATCH|DELETE) /[!-~]*$)",
                             "a method and a path, such as GET /price?pair=XRP-USD"};
constexpr Shape header_name{R"(^[A-Za-z0-9!#$%&'*+.^_|~-]+$)", "a header's name"};
constexpr Shape header_value{R"(^[ -~]*$)", "a header's value in ASCII"};
constexpr Shape json_pointer{R"(^(/([^~/]|~[01])*)*$)", "a JSON pointer, such as /status"};
constexpr Shape target_url{R"(^[a-z][a-z0-9+]*://[!-~]*\{host\}[!-~]*$)",
                           "a target with {host} in it, such as btp+ws://:${TOKEN}@{host}:4000/"};
constexpr Shape variable{R"(^(?!SLIPWAY_)[A-Za-z_][A-Za-z0-9_]*$)", "a variable's name"};
constexpr Shape anything{R"(^[^\x00]*$)", "a text"};

// A shorter one is always in vain, or leaves no pause.
constexpr std::chrono::milliseconds shortest_question{10};

Field health_rules(HealthRules& rules) {
  return section("healthy", "When a new version counts as healthy.",
                 {integer("times", "Healthy answers in a row.", rules.healthy_in_a_row, 1, 1000),
                  duration("for", "And for at least this long.", rules.minimum_healthy),
                  duration("every", "Time between two questions.", rules.interval),
                  duration("timeout", "Of one question, in total.", rules.timeout),
                  duration("within", "Hopeless if it takes longer.", rules.deadline)},
                 {not_longer("for", rules.minimum_healthy, "within", rules.deadline),
                  not_shorter("every", rules.interval, shortest_question),
                  not_shorter("timeout", rules.timeout, shortest_question)});
}

// Without names of metrics there is nothing to look for on it.
Field metrics_page(BakeRules& rules) {
  Field page = text("metrics", "The path of the metrics page.", rules.metrics, url_path);
  page.write = [&rules] { return rules.good ? Json(rules.metrics) : Json(); };
  return page;
}

Field bake_rules(BakeRules& rules) {
  return section(
      "bake",
      "The new version under real load, compared with the old one. Without names of metrics the "
      "proxy's own counters judge.",
      {duration("window", "How long it is watched; 0s: not at all.", rules.window),
       duration("longest", "How long a bake without a verdict may go on.", rules.longest),
       integer("requests", "Fewer than this judge nothing.", rules.minimum_requests, 1,
               1'000'000'000),
       section("worse", "What is too much worse than before.",
               {share("errors", "The share of bad answers is higher by this.", rules.worse_errors),
                number("latency", "The mean latency is this many times as high.",
                       rules.worse_latency, 0.01, 1000),
                duration("allowance", "And higher by at least this.", rules.latency_allowance)}),
       metrics_page(rules), selector("good", "The counter of good answers.", rules.good),
       selector("bad", "The counter of bad answers.", rules.bad),
       selector("seconds", "The histogram or summary of seconds.", rules.seconds)},
      {not_longer("window", rules.window, "longest", rules.longest), needs("good", {"bad"}),
       needs("bad", {"good"}), needs("seconds", {"good"}), needs("metrics", {"good"})});
}

Field served_rule(ServedRule& served) {
  return section(
      "served", "Which answers count as served; all that is written must hold. Default: any 2xx.",
      {integers("status", "One of these statuses.", served.statuses, 100, 599),
       single("header", "This header with this value.", served.header, header_name, header_value),
       single("json", "The body's value at this JSON pointer.", served.json, json_pointer, anything,
              true),
       text("body", "A regular expression (ECMAScript) that the body matches.", served.body,
            anything)},
      {is_expression("body")});
}

// "GET /path", which are two members.
Field request(GateRules& gate) {
  return {"request",
          "What the gate sends: GET /path.",
          {{"type", "string"}, {"pattern", request_line.pattern}, {"maxLength", 2000}},
          [&gate](const Json& given) {
            std::string line;
            Complaints complaints = text("request", "", line, request_line).read(given);
            if (complaints.empty()) {
              gate.method = line.substr(0, line.find(' '));
              gate.path = line.substr(line.find(' ') + 1);
            }
            return complaints;
          },
          [&gate] { return gate.path.empty() ? Json() : Json(gate.method + " " + gate.path); }};
}

Field gate_rules(GateRules& gate) {
  return section(
      "gate", "What proves on every change that the service still does its rate and got no dearer.",
      {choice("start", "What starts the target: its image as a container, or packet_bench itself.",
              gate.start, {"container", "embedded"}),
       request(gate),
       mapping("headers", "Headers of the request.", gate.headers, header_name, header_value),
       text("body", "The request's body.", gate.body, anything), served_rule(gate.served),
       text("target",
            "Instead of a request, for other protocols: a target of packet_bench, with {host} for "
            "the address and ${NAME} for a secret.",
            gate.target, target_url),
       text("receiver", "Where packet_bench receives what it sends to the target.", gate.receiver,
            target_url),
       text("destination", "The account that is paid through the target.", gate.destination, word),
       number("rate", "Requests per second that it must do.", gate.rate, 100, 1'000'000),
       integer("connections", "How many connections carry them.", gate.connections, 1, 10'000),
       section("worse", "What is too much worse than the base.",
               {share("cpu", "Processor time per request.", gate.worse_cpu),
                share("rate", "Requests served.", gate.worse_rate)})},
      {needs("request", {"rate"}), needs("headers", {"request"}), needs("body", {"request"}),
       needs("served", {"request"}), needs("target", {"rate"}), needs("receiver", {"target"}),
       needs("destination", {"target"}), needs_request()});
}

Field limits_of(Limits& limits) {
  return section("limits", "What one instance may use.",
                 {text("memory", "As Docker writes it: 512m.", limits.memory, memory_size),
                  number("cpus", "Processors; 0.5 is half of one.", limits.processors, 0.01, 1024),
                  integer("processes", "Processes and threads.", limits.processes, 1, 1'000'000)});
}

Field kubernetes_of(Cluster& cluster) {
  return section(
      "kubernetes", "What only a cluster asks.",
      {unwritten(
           integer("replicas", "How many pods of one version serve.", cluster.replicas, 1, 1000),
           [&cluster] { return cluster.replicas == 1; }),
       words("signal",
             "A command in the image that passes on a role, its last word: active or drained. "
             "Default: the image's shell sends the signal.",
             cluster.signal, word)});
}

}  // namespace

Field fields_of(Service& service) {
  return section(
      "slipway.yml", "A service, as Slipway ships it.",
      {text("service", "Its name. Default: the repository's.", service.name, service_name),
       text("image", "Its repository in the registry, without a tag.", service.image, image_name),
       port("port", "Where it answers HTTP.", service.port),
       ports("tcp", "Further ports, whose bytes are passed on as they are.", service.tcp),
       text("health", "Answers 200 while it lives.", service.health, url_path),
       text("ready", "Answers 200 when it can serve. Default: as health.", service.ready, url_path),
       choice("roles", "signals: SIGUSR2 makes it active, SIGUSR1 drains it.", service.has_roles,
              "none", "signals"),
       choice("version",
              "What proves which version answers: the releaseId in its health, or, for an image "
              "that cannot say it, the engine's digest.",
              service.version_is_digest, "releaseId", "digest"),
       environment("env", "Environment that is no secret.", service.environment),
       words("secrets", "Variables that the host's envFile must have; never written here.",
             service.secrets, variable),
       mapping("config", "Folders of the host's configuration, mounted read-only.", service.config,
               short_name, file_path),
       mapping("volumes", "Volumes that outlive a version.", service.volumes, short_name,
               file_path),
       words("probe", "A command in the image that makes one real request; exit 0: served.",
             service.probe, word),
       words("capabilities", "Capabilities that it keeps; the others are dropped.",
             service.capabilities, capability),
       words("writable", "Folders that it may write to, in memory.", service.writable, file_path),
       limits_of(service.limits),
       duration("drain", "How long the old version may go on answering after a swap.",
                service.drain),
       health_rules(service.proof),
       bake_rules(service.bake),
       gate_rules(service.gate),
       unwritten(choice("platform", "What runs it, unless a host's configuration says otherwise.",
                        service.platform, {"docker", "kubernetes"}),
                 [&service] { return service.platform == "docker"; }),
       kubernetes_of(service.kubernetes)},
      {tcp_is_not_http(), secrets_are_not_written(), places_differ(), one_with_roles(),
       bake_counts_in_cluster()});
}

}  // namespace slipway::service
