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
// What a disk does to a run is measured where a ledger is what is measured. A variable and not a
// key of the configuration, which a base of before the ledger would refuse.
const Environment::value_type no_ledger{"CONNECTOR_LEDGER", "none"};

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

// The command that starts the connector, with its configuration written down in the folder; and its
// container, if it is to have one.
struct Start {
  std::vector<std::string> argv;
  std::optional<OwnContainer> container;
};

Result<Start> prepare(const EmbeddedConnector::Options& options, Json config,
                      const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "connector.json";
  const bool contained = !options.image.empty();
  // In a container it is read by a user that is not ours, so by anybody.
  Environment tokens = contained ? take_tokens(config) : Environment{};
  if (contained) tokens.insert(no_ledger);
  const auto written = write_durably(file, to_text(config), contained ? 0644 : 0600);
  if (!written) return written.error();
  const std::vector<std::string> arguments{"--config", file.string()};
  if (!contained) return Start{{options.executable.string(), arguments[0], arguments[1]}, {}};
  auto container = OwnContainer::create(
      {.image = options.image, .arguments = arguments, .file = file, .secrets = tokens});
  if (!container) return container.error();
  auto argv = container->start_command();
  return Start{std::move(argv), std::move(*container)};
}

}  // namespace

std::filesystem::path default_connector() {
  std::error_code failed;
  return std::filesystem::read_symlink("/proc/self/exe", failed).parent_path() / "connector";
}

EmbeddedConnector::EmbeddedConnector(OwnProcess process, std::vector<Target> senders,
                                     Target receiver)
    : process_(std::move(process)),
      pid_(process_.pid()),
      senders_(std::move(senders)),
      receiver_(std::move(receiver)) {}

Result<EmbeddedConnector> EmbeddedConnector::start(const Options& options, std::stop_token stop) {
  auto folder = OwnFolder::create();
  if (!folder) return folder.error();
  std::vector<Target> senders;
  for (unsigned i = 0; i < options.senders; ++i) senders.push_back(loopback(random_token()));
  Target receiver = loopback(random_token());
  Json config = config_json(senders, receiver);
  if (options.extra_cpu_percent > 0) config["testExtraCpuPercent"] = options.extra_cpu_percent;
  auto prepared = prepare(options, std::move(config), folder->path());
  if (!prepared) return prepared.error();

  // Nothing of our own environment may reconfigure it.
  Environment environment = current_environment();
  std::erase_if(environment,
                [](const auto& variable) { return variable.first.starts_with("CONNECTOR_"); });
  environment.insert(no_ledger);
  auto process = OwnProcess::start(prepared->argv, environment, std::move(*folder),
                                   std::move(prepared->container));
  if (!process) {
    Error error = process.error();
    error.remedy = "build it, or name it with --connector PATH";
    return error;
  }
  EmbeddedConnector connector(std::move(*process), std::move(senders), std::move(receiver));
  pin(connector.pid(), options.cpu_affinity);
  if (const auto listens = connector.await_listening(stop); !listens) return listens.error();
  if (const auto& own = connector.process_.container()) {
    const auto container = find_own(*own);
    if (!container) return container.error();
    connector.pid_ = container->pid;
    leave_processor_group(connector.pid_);
  }
  return connector;
}

Result<void> EmbeddedConnector::await_listening(const std::stop_token& stop) {
  const auto deadline = std::chrono::steady_clock::now() + start_deadline;
  for (;;) {
    if (const auto ended = death()) return Error{ErrorKind::unreachable, *ended, {}};
    const auto output = process_.output();
    if (const auto event = output ? listening_event(*output) : std::nullopt) {
      for (Target& sender : senders_) sender.port = (*event)["btpPort"].get<std::uint16_t>();
      receiver_.port = (*event)["btpPort"].get<std::uint16_t>();
      http_port_ = event->value("httpPort", std::uint16_t{0});
      return {};
    }
    if (stop.stop_requested()) return Error{ErrorKind::cancelled, "interrupted", {}};
    if (std::chrono::steady_clock::now() > deadline) {
      return Error{ErrorKind::unreachable,
                   "the connector did not listen within 20 s: " + process_.last_words(),
                   {}};
    }
    std::this_thread::sleep_for(5ms);
  }
}

std::string EmbeddedConnector::destination() const {
  return fmt::format("{}.receiver", address);
}

}  // namespace slipway::bench
