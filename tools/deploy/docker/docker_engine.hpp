#pragma once

#include "deploy/docker/docker_api.hpp"
#include "deploy/docker/docker_images.hpp"
#include "deploy/ports/engine.hpp"
#include "deploy/ports/platform.hpp"
#include "deploy/state/config.hpp"

namespace slipway::deploy {

// Docker on this host; a colour is a container of the compose project.
class DockerEngine : public Engine {
 public:
  DockerEngine(const Config& config, const Patience& patience)
      : config_(config), api_(config.docker_socket, patience), images_(config, api_) {}

  Result<Release> find_local(const Release& wanted) override { return images_.find_local(wanted); }
  Result<Release> pull(const Reference& reference, std::stop_token stop) override {
    return images_.pull(reference, std::move(stop));
  }
  Result<void> retain(const Release& release) override { return images_.retain(release); }
  Result<void> archive(const Release& release, std::stop_token stop) override {
    return images_.archive(release, std::move(stop));
  }
  Result<std::vector<Release>> missing(const std::vector<Release>& releases) override {
    return images_.missing(releases);
  }
  Result<void> release(const Release& unwanted) override { return images_.release(unwanted); }
  Result<std::vector<Release>> retained() override { return images_.retained(); }
  Result<std::vector<Room>> room() override;
  Result<Instance> inspect(Colour colour) override;
  Result<void> start(Colour colour, const Release& release, const std::string& transaction,
                     std::stop_token stop) override;
  Result<void> create(Colour colour, const Release& release, const std::string& transaction,
                      std::stop_token stop) override;
  Result<void> stop(Colour colour, std::chrono::nanoseconds grace) override;
  Result<void> start_again(Colour colour) override;
  // By SIGUSR2 and SIGUSR1, which the service's contract names (README.md).
  Result<void> set_role(Colour colour, Role role) override;
  Result<void> remove(Colour colour) override;
  Result<std::vector<Endpoint>> endpoints(Colour colour, std::uint16_t port) override;
  Result<std::string> log_tail(Colour colour) override;
  Result<CommandOutput> execute(Colour colour, const std::vector<std::string>& argv,
                                std::chrono::nanoseconds deadline) override;

 private:
  std::string container_name(Colour colour) const;
  Result<std::vector<std::string>> containers_of(const std::string& service) const;
  Result<void> up(const std::string& how, Colour colour, const Release& release,
                  const std::string& transaction, std::stop_token stop);
  Result<void> check_name_free(Colour colour) const;
  Result<void> remove_container(const std::string& id, const std::string& name);
  bool signal_process(Colour colour, int number) const;

  const Config& config_;
  DockerApi api_;
  DockerImages images_;
};

}  // namespace slipway::deploy
