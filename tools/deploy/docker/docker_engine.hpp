#pragma once

#include "base/process.hpp"
#include "deploy/docker/docker_api.hpp"
#include "deploy/ports/engine.hpp"
#include "deploy/state/config.hpp"

namespace slipway::deploy {

// Docker: the Engine API for what is one request, `docker compose` and `docker pull` for what the
// command line does better (rendering a service, credentials of registries).
class DockerEngine : public Engine {
 public:
  explicit DockerEngine(const Config& config)
      : config_(config), api_(config.docker_socket, std::chrono::seconds(30)) {}

  Result<Release> find_local(const Release& release) override;
  Result<Release> pull(const Reference& reference, std::stop_token stop) override;
  Result<void> hold(const Release& release) override;
  Result<void> let_go(const Release& release) override;
  Result<std::vector<Release>> held() override;
  Result<std::string> storage_directory() override;
  Result<void> start_proxy(std::stop_token stop) override;
  Result<Instance> inspect(Colour colour) override;
  Result<void> start(Colour colour, const Release& release, const std::string& transaction,
                     std::stop_token stop) override;
  Result<void> stop(Colour colour) override;
  Result<void> start_again(Colour colour) override;
  Result<void> send_signal(Colour colour, int number) override;
  Result<void> remove(Colour colour) override;
  Result<std::string> log_tail(Colour colour) override;
  Result<CommandOutput> execute(Colour colour, const std::vector<std::string>& argv,
                                std::chrono::nanoseconds deadline) override;

 private:
  bool signal_process(Colour colour, int number) const;
  std::string container_name(Colour colour) const;
  std::string service_name(Colour colour) const;
  Result<Release> inspect_image(const std::string& name) const;
  Result<std::string> resolve(const Reference& reference, std::stop_token stop) const;
  Environment compose_environment() const;
  Result<void> compose(const std::vector<std::string>& arguments, const std::string& compose_file,
                       const Environment& environment, std::stop_token stop) const;
  Result<std::vector<std::string>> containers_of(const std::string& service) const;

  const Config& config_;
  DockerApi api_;
};

}  // namespace slipway::deploy
