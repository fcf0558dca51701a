#pragma once

// The cluster's API by way of kubectl, which knows how each kind of cluster wants to be asked:
// `kubectl proxy` on a socket of our own, and kubectl itself for what it alone can do.

#include "base/error.hpp"
#include "base/process.hpp"
#include "deploy/kubernetes/absence.hpp"
#include "deploy/kubernetes/names.hpp"
#include "deploy/model/json_value.hpp"
#include "deploy/ports/platform.hpp"
#include "deploy/state/config.hpp"

#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace slipway::deploy {

// Content types of PATCH (Kubernetes API concepts, "Patches").
inline constexpr const char* merge_patch = "application/merge-patch+json";

// One thread may wait in it while another asks.
class ClusterApi {
 public:
  struct Answer {
    int status = 0;
    JsonValue json;

    bool ok() const { return status >= 200 && status < 300; }
    // What the API server said of an error, fit to be shown.
    std::string message() const;
  };

  ClusterApi(const Config& config, const Patience& patience);
  ~ClusterApi();

  // The namespace, as the configuration or the kubeconfig has it. Errors: usage (kubectl or its
  // configuration is missing).
  Result<Names> names();

  // Waits for an API server that is away or busy, and for kubectl, as long as it has patience.
  // Whoever changes something must therefore find it done already. Errors: unreachable, usage,
  // cancelled.
  Result<Answer> call(const std::string& method, const std::string& target,
                      const std::string& body = "",
                      const std::string& content_type = "application/json",
                      std::stop_token stop = {});

  // The same; an answer that is no success is an error: not_found (404), busy (409: it exists, or
  // was changed meanwhile), failed. `doing` is what for: "read the journal".
  Result<JsonValue> demand(const std::string& doing, const std::string& method,
                           const std::string& target, const std::string& body = "",
                           const std::string& content_type = "application/json",
                           std::stop_token stop = {});

  // A kubectl command in the namespace. Errors: as run_command().
  Result<CommandOutput> kubectl(std::vector<std::string> arguments,
                                std::chrono::nanoseconds deadline, std::stop_token stop = {});

  // The socket where the API is asked without waiting. Errors: usage, unreachable.
  Result<std::string> socket();

  // Until when the nodes may not have heard yet of what the API server has, see Absence.
  std::chrono::steady_clock::time_point nodes_back();

  // A folder of this process's own, for what kubectl reads from a file. Errors: io.
  Result<std::filesystem::path> directory();

 private:
  // Begins it; await_proxy() returns once it has its socket.
  Result<void> start_proxy();
  Result<void> await_proxy();
  std::filesystem::path proxy_socket() const;
  Result<Names> ask_for_names();
  void note_presence(bool is_there);
  Result<Answer> call_once(const std::string& method, const std::string& target,
                           const std::string& body, const std::string& content_type,
                           std::stop_token stop);
  std::vector<std::string> base_command() const;

  const Config& config_;
  Patience patience_;
  std::mutex mutex_;
  std::string context_;  // empty: not known yet, or there is none, as in a pod
  std::filesystem::path directory_;
  std::optional<Child> proxy_;
  int proxies_ = 0;
  bool proxy_listens_ = false;
  std::optional<Names> names_;
  Absence absence_;
};

}  // namespace slipway::deploy
