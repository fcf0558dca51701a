#include "deploy/kubernetes/cluster_api.hpp"

#include "base/durable_file.hpp"
#include "base/foreign_text.hpp"
#include "base/units.hpp"
#include "net/http_client.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_answer = std::size_t{32} << 20;
constexpr std::chrono::seconds longest_answer{30};
constexpr std::chrono::milliseconds between_tries{250};
constexpr int ended_by_signal = 128;
constexpr const char* proxy_log = "proxy.log";

// kubectl's own errors end in what went wrong; the rest is about how it was called.
std::string last_words(const std::string& said) {
  return foreign_text(said, 400);
}

Error missing_kubectl() {
  return {ErrorKind::usage, "there is no kubectl here",
          "install kubectl of the cluster's minor version, or of one beside it"};
}

// Away, or not able to answer just now: asked again a little later it does.
bool is_passing(int status) {
  return status == 429 || (status >= 500 && status != 501);
}

}  // namespace

std::string ClusterApi::Answer::message() const {
  const JsonValue message = json.at({"message"});
  if (message.is_string()) return foreign_text(message.text(), 800);
  return fmt::format("HTTP {}", status);
}

ClusterApi::ClusterApi(const Config& config, const Patience& patience)
    : config_(config), patience_(patience), context_(config.context) {
  patience_.longest = std::max(patience.longest, config.step_deadline);
}

ClusterApi::~ClusterApi() {
  proxy_.reset();
  std::error_code ignored;
  if (!directory_.empty()) fs::remove_all(directory_, ignored);
}

Result<fs::path> ClusterApi::directory() {
  if (!directory_.empty()) return directory_;
  std::string name = (fs::temp_directory_path() / "slipway-XXXXXX").string();
  // Mode 0700: whoever may open the socket may do what kubectl may.
  if (::mkdtemp(name.data()) == nullptr) return io_error("cannot make a folder like", name, errno);
  directory_ = name;
  return directory_;
}

std::vector<std::string> ClusterApi::base_command() const {
  std::vector<std::string> argv{"kubectl"};
  if (!context_.empty()) argv.push_back("--context=" + context_);
  return argv;
}

// The namespace, and which context it is of: an operation goes on with the cluster that it began
// with, whatever somebody tells their kubeconfig meanwhile.
Result<Names> ClusterApi::ask_for_names() {
  Names names{config_.project, config_.cluster_namespace};
  if (!names.space.empty() && !context_.empty()) return names;
  auto argv = base_command();
  argv.insert(argv.end(), {"config", "view", "--minify", "-o", "json"});
  auto view = run_command({.argv = argv, .deadline = longest_answer});
  if (!view && view.error().kind == ErrorKind::not_found) return missing_kubectl();
  if (!view) return view.error();
  if (view->exit_status >= ended_by_signal) {
    return Error{ErrorKind::unreachable, "kubectl was ended from outside", {}};
  }
  const auto inside = read_file("/var/run/secrets/kubernetes.io/serviceaccount/namespace", 256);
  if (view->exit_status == 0) {
    const JsonValue config = JsonValue::parse(view->out);
    const auto contexts = config.at({"contexts"}).items();
    if (!contexts.empty() && names.space.empty()) {
      names.space = contexts[0].at({"context", "namespace"}).text();
    }
    if (names.space.empty()) names.space = "default";
    if (context_.empty()) context_ = config.at({"current-context"}).text();
  } else if (inside) {
    if (names.space.empty()) names.space = *inside;
  } else if (names.space.empty()) {
    return Error{ErrorKind::usage,
                 fmt::format("kubectl knows no cluster: {}", last_words(view->err)),
                 "set KUBECONFIG, or context in the configuration"};
  }
  return names;
}

Result<Names> ClusterApi::names() {
  const std::lock_guard guard(mutex_);
  // Each kubectl takes a tenth of a second to begin, and the proxy is wanted next.
  if (!names_ && !proxy_) (void)start_proxy();
  for (int attempt = 1; !names_; ++attempt) {
    auto asked = ask_for_names();
    if (!asked && (asked.error().kind != ErrorKind::unreachable || attempt == 5)) {
      return asked.error();
    }
    if (asked) names_ = *asked;
  }
  return *names_;
}

fs::path ClusterApi::proxy_socket() const {
  return directory_ / fmt::format("api-{}.sock", proxies_);
}

Result<void> ClusterApi::start_proxy() {
  if (auto folder = directory(); !folder) return folder.error();
  ++proxies_;
  proxy_listens_ = false;
  auto argv = base_command();
  argv.insert(argv.end(),
              {"proxy", "--unix-socket=" + proxy_socket().string(), "--accept-hosts=^localhost$"});
  auto child = Child::start({.argv = argv, .output_file = (directory_ / proxy_log).string()});
  if (!child && child.error().kind == ErrorKind::not_found) return missing_kubectl();
  if (!child) return child.error();
  proxy_ = std::move(*child);
  return {};
}

Result<void> ClusterApi::await_proxy() {
  const auto give_up = std::chrono::steady_clock::now() + longest_answer;
  // Its socket is there a moment before it answers; http_request() finds that out.
  while (!fs::exists(proxy_socket())) {
    if (const auto status = proxy_->exit_status()) {
      proxy_.reset();
      if (*status >= ended_by_signal) {
        return Error{ErrorKind::unreachable, "kubectl was ended from outside", {}};
      }
      const auto said = read_file((directory_ / proxy_log).string(), 65536);
      return Error{ErrorKind::usage,
                   fmt::format("kubectl cannot reach the cluster: {}",
                               last_words(said ? *said : std::string())),
                   "set KUBECONFIG, or context in the configuration"};
    }
    if (std::chrono::steady_clock::now() > give_up) {
      proxy_.reset();
      return Error{ErrorKind::timeout, "kubectl did not begin within 30s", {}};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  proxy_listens_ = true;
  return {};
}

Result<std::string> ClusterApi::socket() {
  const std::lock_guard guard(mutex_);
  if (proxy_ && proxy_listens_ && proxy_->exit_status()) proxy_.reset();
  if (!proxy_) {
    if (auto started = start_proxy(); !started) return started.error();
  }
  if (!proxy_listens_) {
    if (auto listens = await_proxy(); !listens) return listens.error();
  }
  return proxy_socket().string();
}

Result<ClusterApi::Answer> ClusterApi::call_once(const std::string& method,
                                                 const std::string& target, const std::string& body,
                                                 const std::string& content_type,
                                                 std::stop_token stop) {
  const auto path = socket();
  if (!path) return path.error();
  auto answer = net::http_request({.unix_socket = *path,
                                   .method = method,
                                   .target = target,
                                   .body = body,
                                   .content_type = content_type,
                                   .deadline = longest_answer,
                                   .body_limit = largest_answer},
                                  std::move(stop));
  if (!answer) return answer.error();
  return Answer{answer->status, JsonValue::parse(answer->body)};
}

void ClusterApi::note_presence(bool is_there) {
  const std::lock_guard guard(mutex_);
  absence_.note(is_there, std::chrono::steady_clock::now());
}

std::chrono::steady_clock::time_point ClusterApi::nodes_back() {
  const std::lock_guard guard(mutex_);
  return absence_.nodes_back();
}

Result<ClusterApi::Answer> ClusterApi::call(const std::string& method, const std::string& target,
                                            const std::string& body,
                                            const std::string& content_type, std::stop_token stop) {
  const auto give_up = std::chrono::steady_clock::now() + patience_.longest;
  bool told = false;
  for (;;) {
    auto answer = call_once(method, target, body, content_type, stop);
    const bool final = answer ? !is_passing(answer->status)
                              : answer.error().kind == ErrorKind::usage ||
                                    answer.error().kind == ErrorKind::cancelled;
    // Who stops asking has heard nothing: that is no answer.
    if (answer || !final) note_presence(final);
    if (final) return answer;
    const std::string why = answer ? answer->message() : answer.error().what;
    if (!told && !stop.stop_requested()) {
      told = true;
      patience_.tell(fmt::format("waiting up to {} for the cluster: {}",
                                 format_duration(patience_.longest), why));
    }
    if (std::chrono::steady_clock::now() > give_up || stop.stop_requested()) {
      return Error{ErrorKind::unreachable, fmt::format("the cluster does not answer: {}", why),
                   "check that 'kubectl get --raw /readyz' says ok from here"};
    }
    std::this_thread::sleep_for(between_tries);
  }
}

Result<JsonValue> ClusterApi::demand(const std::string& doing, const std::string& method,
                                     const std::string& target, const std::string& body,
                                     const std::string& content_type, std::stop_token stop) {
  auto answer = call(method, target, body, content_type, std::move(stop));
  if (!answer) {
    Error error = answer.error();
    error.what = fmt::format("cannot {}: {}", doing, error.what);
    return error;
  }
  if (answer->ok()) return std::move(answer->json);
  const ErrorKind kind = answer->status == 404   ? ErrorKind::not_found
                         : answer->status == 409 ? ErrorKind::busy
                                                 : ErrorKind::failed;
  return Error{
      kind, fmt::format("cannot {}: {}", doing, answer->message()),
      answer->status == 403 ? "'slipway setup --kubernetes' prints the Role that is needed" : ""};
}

Result<CommandOutput> ClusterApi::kubectl(std::vector<std::string> arguments,
                                          std::chrono::nanoseconds deadline, std::stop_token stop) {
  const auto known = names();
  if (!known) return known.error();
  auto argv = base_command();
  argv.push_back("--namespace=" + known->space);
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto done = run_command({.argv = argv, .deadline = deadline}, std::move(stop));
  if (!done && done.error().kind == ErrorKind::not_found) return missing_kubectl();
  return done;
}

}  // namespace slipway::deploy
