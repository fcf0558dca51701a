#include "base/process.hpp"

#include "base/unique_fd.hpp"
#include "base/units.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/readable_pipe.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/process/v2/environment.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>
#include <fmt/core.h>

namespace slipway {
namespace {

namespace asio = boost::asio;
namespace bp = boost::process::v2;
using boost::system::error_code;

constexpr std::chrono::seconds grace_after_stop{2};

// Runs in the child between fork and exec: a process group of its own, so that a deadline reaches
// the whole family, and where `dies_with_us` a SIGKILL from the kernel when the parent dies.
struct GroupLeader {
  bool dies_with_us = false;

  template <typename Launcher>
  error_code on_exec_setup(Launcher&, const bp::filesystem::path&, const char* const*(&)) {
    ::setpgid(0, 0);
    if (dies_with_us) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGPIPE, SIG_DFL);
    return {};
  }
};

std::vector<std::string> as_assignments(const Environment& environment) {
  std::vector<std::string> assignments;
  assignments.reserve(environment.size());
  for (const auto& [name, value] : environment)
    assignments.push_back(fmt::format("{}={}", name, value));
  return assignments;
}

int as_shell_status(int raw) {
  if (WIFEXITED(raw)) return WEXITSTATUS(raw);
  return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : raw;
}

Result<bp::filesystem::path> find_program(const std::string& name) {
  bp::filesystem::path path =
      name.find('/') == std::string::npos ? bp::environment::find_executable(name) : name;
  if (path.empty() || ::access(path.c_str(), X_OK) != 0) {
    return Error{ErrorKind::not_found, fmt::format("there is no program '{}'", name),
                 "install it or correct PATH"};
  }
  return path;
}

template <typename Stdio>
Result<bp::process> launch(asio::io_context& io, const std::vector<std::string>& argv,
                           const std::optional<Environment>& environment, Stdio stdio,
                           GroupLeader leader) {
  auto program = find_program(argv.at(0));
  if (!program) return program.error();
  const std::vector<std::string> arguments(argv.begin() + 1, argv.end());
  try {
    return bp::process(io.get_executor(), *program, arguments, std::move(stdio), leader,
                       bp::process_environment(
                           as_assignments(environment ? *environment : current_environment())));
  } catch (const boost::system::system_error& failed) {
    return Error{
        ErrorKind::io, fmt::format("cannot start {}: {}", argv[0], failed.code().message()), {}};
  }
}

// One finite run; all callbacks are on one thread.
class Run {
 public:
  Run(const Command& command, std::stop_token stop) : command_(command), stop_(std::move(stop)) {}

  Result<CommandOutput> to_end() {
    auto started = launch(io_, command_.argv, command_.environment,
                          bp::process_stdio{nullptr, out_, err_}, GroupLeader{});
    if (!started) return started.error();
    process_ = std::move(*started);
    read_on(out_, output_.out, out_block_);
    read_on(err_, output_.err, err_block_);
    process_.async_wait([this](error_code, int) { ended(); });
    deadline_.expires_after(command_.deadline);
    deadline_.async_wait([this](error_code cancelled) {
      if (cancelled || ended_) return;
      timed_out_ = true;
      ::kill(-process_.id(), SIGKILL);
    });
    std::stop_callback on_stop(stop_, [this] { asio::post(io_, [this] { ask_to_stop(); }); });
    io_.run();
    return outcome();
  }

 private:
  void read_on(asio::readable_pipe& pipe, std::string& kept, std::array<char, 16384>& block) {
    pipe.async_read_some(asio::buffer(block), [&, this](error_code failed, std::size_t got) {
      keep(kept, block.data(), got);
      if (!failed && !ended_) read_on(pipe, kept, block);
    });
  }

  void ask_to_stop() {
    if (ended_) return;
    cancelled_ = true;
    ::kill(-process_.id(), SIGTERM);
    grace_.expires_after(grace_after_stop);
    grace_.async_wait([this](error_code cancelled) {
      if (!cancelled && !ended_) ::kill(-process_.id(), SIGKILL);
    });
  }

  void ended() {
    ended_ = true;
    deadline_.cancel();
    grace_.cancel();
    out_.cancel();
    err_.cancel();
    // Posted, so that reads which completed before the command ended deliver their bytes first.
    asio::post(io_, [this] {
      drain(out_, output_.out);
      drain(err_, output_.err);
      io_.stop();
    });
  }

  // The command has ended: what it wrote is in the pipe already, so read until it is empty and do
  // not wait for a grandchild that still holds the other end.
  void drain(asio::readable_pipe& pipe, std::string& kept) {
    char block[16384];
    for (;;) {  // Asio made the pipe non-blocking for its first read
      const ssize_t got = ::read(pipe.native_handle(), block, sizeof block);
      if (got <= 0) return;
      keep(kept, block, static_cast<std::size_t>(got));
    }
  }

  void keep(std::string& kept, const char* data, std::size_t size) const {
    kept.append(data, std::min(size, command_.output_limit - kept.size()));
  }

  Result<CommandOutput> outcome() {
    if (timed_out_) {
      return Error{ErrorKind::timeout,
                   fmt::format("{} did not end within {} and was killed", command_.argv[0],
                               format_duration(command_.deadline)),
                   {}};
    }
    if (cancelled_) {
      return Error{ErrorKind::cancelled, fmt::format("{} was stopped", command_.argv[0]), {}};
    }
    output_.exit_status = as_shell_status(process_.native_exit_code());
    return std::move(output_);
  }

  const Command& command_;
  std::stop_token stop_;
  asio::io_context io_{1};
  asio::readable_pipe out_{io_};
  asio::readable_pipe err_{io_};
  asio::steady_timer deadline_{io_};
  asio::steady_timer grace_{io_};
  bp::process process_{io_};
  std::array<char, 16384> out_block_;
  std::array<char, 16384> err_block_;
  CommandOutput output_;
  bool ended_ = false;
  bool timed_out_ = false;
  bool cancelled_ = false;
};

}  // namespace

Environment current_environment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view assignment(*entry);
    const std::size_t equals = assignment.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(assignment.substr(0, equals), assignment.substr(equals + 1));
  }
  return environment;
}

Result<CommandOutput> run_command(const Command& command, std::stop_token stop) {
  return Run(command, std::move(stop)).to_end();
}

struct Child::State {
  asio::io_context io{1};
  bp::process process{io};
  std::optional<int> status;

  void note_if_ended() {
    if (status) return;
    int raw = 0;
    const pid_t reaped = ::waitpid(process.id(), &raw, WNOHANG);
    if (reaped == process.id()) status = as_shell_status(raw);
  }
  ~State() { process.detach(); }
};

Child::Child(std::unique_ptr<State> state) : state_(std::move(state)) {}
Child::Child(Child&&) noexcept = default;
Child& Child::operator=(Child&& other) noexcept {
  if (this != &other) {
    if (state_) terminate();
    state_ = std::move(other.state_);
  }
  return *this;
}
Child::~Child() {
  if (state_) terminate();
}

Result<Child> Child::start(const Options& options) {
  auto state = std::make_unique<State>();
  const GroupLeader leader{.dies_with_us = !options.outlives_us};
  UniqueFd nothing;
  UniqueFd file;
  if (options.input < 0) nothing.reset(::open("/dev/null", O_RDONLY));
  if (!options.output_file.empty()) {
    file.reset(
        ::open(options.output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!file) return io_error("cannot write", options.output_file, errno);
  }
  auto started = launch(
      state->io, options.argv, options.environment,
      bp::process_stdio{options.input < 0 ? nothing.get() : options.input,
                        file ? file.get() : STDOUT_FILENO, file ? file.get() : STDERR_FILENO},
      leader);
  if (!started) return started.error();
  state->process = std::move(*started);
  return Child(std::move(state));
}

pid_t Child::pid() const {
  return state_->process.id();
}

std::optional<int> Child::exit_status() {
  state_->note_if_ended();
  return state_->status;
}

void Child::send_signal(int number) {
  state_->note_if_ended();
  if (!state_->status) ::kill(pid(), number);
}

int Child::terminate(std::chrono::nanoseconds grace) {
  send_signal(SIGTERM);
  // A stopped process does not see SIGTERM before it goes on.
  send_signal(SIGCONT);
  const auto deadline = std::chrono::steady_clock::now() + grace;
  while (!exit_status() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (!exit_status()) {
    ::kill(-pid(), SIGKILL);
    int raw = 0;
    while (::waitpid(pid(), &raw, 0) < 0 && errno == EINTR) {
    }
    state_->status = as_shell_status(raw);
  }
  return *state_->status;
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace slipway
