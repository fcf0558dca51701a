#pragma once

#include "base/error.hpp"
#include "packet_bench/duet/duet_load.hpp"
#include "packet_bench/subject/cost_watch.hpp"
#include "packet_bench/subject/embedded.hpp"
#include "packet_bench/subject/started_service.hpp"
#include "packet_bench/target/target.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <sys/types.h>
#include <variant>
#include <vector>

namespace slipway::bench {

// What serves already, and of which the duet makes no other.
struct RunningTarget {
  Target sender;
  std::optional<Target> receiver;
  std::string destination;
  CostSource cost;
};

// An image to start a container from.
struct ImageTarget {
  std::string reference;
  std::optional<service::Service> service = {};  // nothing: a connector
  std::string id = {};                           // once it was found; tags may move meanwhile
};

// What one side of a duet is: an executable or an image to start, or what runs.
using DuetTarget = std::variant<std::filesystem::path, ImageTarget, RunningTarget>;

// As the user wrote it, without tokens; of an image that was found its id as well.
std::string text_of(const DuetTarget& target);

// True when it is asked in HTTP requests that hold no packets.
bool is_web(const DuetTarget& target);

// True when its process may be given priority and other processors: it is the duet's own, or the
// user named it.
bool is_movable(const DuetTarget& target);

// Names the side.
Error of_side(std::size_t side, Error error);

// A target that can be driven; what was started for that ends with its owner.
class Driven {
 public:
  // Of an image with its id. Errors: as EmbeddedConnector::start's, StartedService::start's and
  // look_at's.
  static Result<Driven> start(const DuetTarget& target, int extra_cpu_percent,
                              std::stop_token stop);

  const DuetSide& side() const { return side_; }
  // The processes that may be moved (see is_movable), as they are now; nothing where none may.
  const std::function<std::vector<pid_t>()>& processes() const { return processes_; }
  // Set once what was started has ended by itself: how, and its last words.
  std::optional<std::string> death();

 private:
  static Result<Driven> start_service(const ImageTarget& image, int extra_cpu_percent,
                                      std::stop_token stop);

  std::optional<EmbeddedConnector> connector_;
  std::shared_ptr<StartedService> service_;
  std::function<std::vector<pid_t>()> processes_;
  DuetSide side_;
};

}  // namespace slipway::bench
