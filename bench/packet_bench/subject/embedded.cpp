#include "packet_bench/subject/embedded.hpp"

#include "base/durable_file.hpp"
#include "base/json.hpp"
#include "base/random.hpp"
#include "packet_bench/common/schedule.hpp"
#include "packet_bench/subject/container.hpp"
#include "packet_bench/subject/own_container.hpp"
#include "packet_bench/target/btp_channel.hpp"

#include <cstdlib>
#include <random>
#include <sched.h>
#include <thread>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;

constexpr int other_routes = 5000;  // a realistic table: a large Interledger node's
constexpr auto start_deadline = 20s;
constexpr std::string_view address = "test.slipway";

std::string random_token() {
  return fmt::format("{:016x}{:016x}", random_seed(), random_seed());
}

Json account_json(const std::string& id, const std::string& token) {
  // Room for any run: the balance is held, checked and moved, but is not what is measured.
  return {{"id", id},
          {"relation", "child"},
          {"asset", {{"code", "USD"}, {"scale", 9}}},
          {"token", token},
          {"maximumInFlight", 1 << 18}};
}

Json config_json(const std::vector<Target>& senders, const Target& receiver) {
  Json config = {{"address", address},
                 {"btp", {{"host", "127.0.0.1"}, {"port", 0}}},
                 {"http", {{"host", "127.0.0.1"}, {"port", 0}}},
                 {"accounts", Json::array()},
                 {"routes", Json::array()}};
  for (std::size_t i = 0; i < senders.size(); ++i) {
    config["accounts"].push_back(account_json(fmt::format("sender-{}", i), senders[i].token));
  }
  config["accounts"].push_back(account_json("receiver", receiver.token));
  config["routes"].push_back(
      {{"prefix", fmt::format("{}.receiver", address)}, {"account", "receiver"}});
  for (std::uint64_t i = 0; i < other_routes; ++i) {
    config["routes"].push_back(
        {{"prefix", fmt::format("g.node{:x}.shop{:x}", mixed(i) >> 48, mixed(i) & 0xfff)},
         {"account", i % 2 == 0 ? "sender-0" : "receiver"}});
  }
  return config;
}

// The line in which the connector says where it listens.
std::optional<Json> listening_event(const std::string& output) {
  for (std::size_t begin = 0; begin < output.size();) {
    const std::size_t end = output.find('\n', begin);
    if (end == std::string::npos) return std::nullopt;
    const Json line = parse_json(output.substr(begin, end - begin));
    if (line.is_object() && line.value("event", "") == "listening" && line.contains("btpPort")) {
      return line;
    }
    begin = end + 1;
  }
  return std::nullopt;
}

Target loopback(std::string token) {
  Target target;
  target.scheme = &btp_scheme;
  target.host = "127.0.0.1";
  target.token = std::move(token);
  return target;
}

// Leaves the names of variables in a configuration in the place of the tokens that it returns.
Environment take_tokens(Json& config) {
  Environment tokens;
  for (Json& account : config["accounts"]) {
    const std::string variable = fmt::format("TOKEN_{}", tokens.size());
    tokens[variable] = account["token"];
    account.erase("token");
    account["tokenEnv"] = variable;
  }
  return tokens;
}

void pin(pid_t pid, const std::vector<int>& cpus) {
  if (cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(static_cast<std::size_t>(cpu), &set);
  ::sched_setaffinity(pid, sizeof set, &set);
}

}  // namespace

struct EmbeddedConnector::Place {
  std::filesystem::path folder;
  std::optional<OwnContainer> container;
  ~Place() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
};

std::filesystem::path default_connector() {
  std::error_code failed;
  return std::filesystem::read_symlink("/proc/self/exe", failed).parent_path() / "connector";
}

EmbeddedConnector::EmbeddedConnector(Child child, std::shared_ptr<Place> place)
    : place_(std::move(place)), child_(std::move(child)), pid_(child_.pid()) {}

// Writes the configuration down, and returns the command that starts the connector with it.
Result<std::vector<std::string>> EmbeddedConnector::prepare(const Options& options,
                                                            nlohmann::json config, Place& place) {
  const std::filesystem::path file = place.folder / "connector.json";
  const bool contained = !options.image.empty();
  // In a container it is read by a user that is not ours, so by anybody.
  const Environment tokens = contained ? take_tokens(config) : Environment{};
  const auto written = write_durably(file, to_text(config), contained ? 0644 : 0600);
  if (!written) return written.error();
  const std::vector<std::string> arguments{"--config", file.string()};
  if (!contained) return std::vector{options.executable.string(), arguments[0], arguments[1]};
  auto container = OwnContainer::create(
      {.image = options.image, .arguments = arguments, .file = file, .secrets = tokens});
  if (!container) return container.error();
  return place.container.emplace(std::move(*container)).start_command();
}

Result<EmbeddedConnector> EmbeddedConnector::start(const Options& options, std::stop_token stop) {
  std::string pattern = (std::filesystem::temp_directory_path() / "packet_bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return io_error("cannot create", pattern, errno);
  const auto place = std::make_shared<Place>(pattern);

  std::vector<Target> senders;
  for (unsigned i = 0; i < options.senders; ++i) senders.push_back(loopback(random_token()));
  Target receiver = loopback(random_token());
  Json config = config_json(senders, receiver);
  if (options.extra_cpu_percent > 0) config["testExtraCpuPercent"] = options.extra_cpu_percent;
  const auto command = prepare(options, std::move(config), *place);
  if (!command) return command.error();

  // Nothing of our own environment may reconfigure it.
  Environment environment = current_environment();
  std::erase_if(environment,
                [](const auto& variable) { return variable.first.starts_with("CONNECTOR_"); });
  auto child = Child::start({.argv = *command,
                             .environment = environment,
                             // docker hands it on: the container ends, and is removed.
                             .signal_on_death = place->container ? SIGTERM : SIGKILL,
                             .output_file = (place->folder / "output").string()});
  if (!child) {
    Error error = child.error();
    error.remedy = "build it, or name it with --connector PATH";
    return error;
  }
  EmbeddedConnector connector(std::move(*child), place);
  pin(connector.pid(), options.cpu_affinity);
  const auto deadline = std::chrono::steady_clock::now() + start_deadline;
  for (;;) {
    if (const auto death = connector.death()) return Error{ErrorKind::unreachable, *death, {}};
    const auto output = read_file(place->folder / "output");
    if (const auto event = output ? listening_event(*output) : std::nullopt) {
      for (Target& sender : senders) sender.port = (*event)["btpPort"].get<std::uint16_t>();
      receiver.port = (*event)["btpPort"].get<std::uint16_t>();
      connector.http_port_ = event->value("httpPort", std::uint16_t{0});
      break;
    }
    if (stop.stop_requested()) return Error{ErrorKind::cancelled, "interrupted", {}};
    if (std::chrono::steady_clock::now() > deadline) {
      return Error{ErrorKind::unreachable,
                   "the connector did not listen within 20 s: " + connector.last_words(),
                   {}};
    }
    std::this_thread::sleep_for(5ms);
  }
  if (place->container) {
    const auto container = find_container(place->container->name());
    if (!container) {
      return Error{ErrorKind::unreachable, container.error().what,
                   "run packet_bench where the Docker engine runs"};
    }
    connector.pid_ = container->pid;
    leave_processor_group(connector.pid_);
  }
  connector.senders_ = std::move(senders);
  connector.receiver_ = std::move(receiver);
  return connector;
}

std::string EmbeddedConnector::destination() const {
  return fmt::format("{}.receiver", address);
}

std::string EmbeddedConnector::last_words() const {
  const auto output = read_file(place_->folder / "output");
  if (!output || output->empty()) return "it logged nothing";
  std::string text = *output;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

std::optional<std::string> EmbeddedConnector::death() {
  const auto status = child_.exit_status();
  if (!status) return std::nullopt;
  return fmt::format("the connector ended with status {}: {}", *status, last_words());
}

}  // namespace slipway::bench
