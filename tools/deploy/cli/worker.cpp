#include "deploy/cli/worker.hpp"

#include "base/command_line.hpp"
#include "base/durable_file.hpp"
#include "base/unique_fd.hpp"
#include "deploy/model/exit_code.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <iostream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds poll_interval{10};
constexpr std::size_t kept_outputs = 20;

// A file with room for what a worker says. Where the disk is full it is in memory, and `path` names
// it there: the caller sees the report all the same.
UniqueFd open_output(fs::path& path) {
  constexpr off_t room = off_t{64} << 10;
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  const bool full = !fd || (::fallocate(fd.get(), FALLOC_FL_KEEP_SIZE, 0, room) != 0 &&
                            (errno == ENOSPC || errno == EDQUOT));
  if (!full) return fd;
  std::error_code ignored;
  fs::remove(path, ignored);
  fd.reset(::memfd_create("slipway-output", MFD_CLOEXEC));
  path = fmt::format("/proc/{}/fd/{}", ::getpid(), fd.get());
  return fd;
}

// Removes the outputs of the oldest workers.
void forget_old_outputs(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::directory_iterator entry(directory, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (entry->is_regular_file(failed) && !entry->is_symlink(failed)) {
      files.push_back(entry->path());
    }
  }
  if (files.size() <= kept_outputs) return;
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    std::error_code ignored;
    return fs::last_write_time(a, ignored) > fs::last_write_time(b, ignored);
  });
  for (std::size_t i = kept_outputs; i < files.size(); ++i) fs::remove(files[i], failed);
}

// Copies what a file has gained to one of our own descriptors.
class OutputTail {
 public:
  OutputTail(const fs::path& path, int to)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), to_(to) {}

  void copy() {
    std::array<char, 65536> block;
    for (;;) {
      const ssize_t got = ::read(fd_.get(), block.data(), block.size());
      if (got <= 0) return;
      // The caller's terminal or pipe may be gone; the worker does not depend on it.
      (void)!::write(to_, block.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  UniqueFd fd_;
  int to_;
};

// Between fork and exec only what is safe in a signal handler may be called.
[[noreturn]] void become_worker(const Lock& lock, int out, int err, char* const* argv) {
  ::setsid();
  const int null = ::open("/dev/null", O_RDONLY);
  if (null >= 0) ::dup2(null, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  lock.keep_across_exec();
  ::execv("/proc/self/exe", argv);
  ::_exit(127);
}

// This process's own command line, for the worker.
std::vector<std::string> own_arguments() {
  std::vector<std::string> words;
  const auto bytes = read_file("/proc/self/cmdline", std::size_t{1} << 20);
  std::string_view rest = bytes ? std::string_view(*bytes) : std::string_view();
  while (!rest.empty()) {
    words.emplace_back(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(rest.size(), words.back().size() + 1));
  }
  return words;
}

OnStop ask_person() {
  std::cerr << "\nThe operation goes on without this command. [r]oll back, [l]eave it going? "
            << std::flush;
  std::string line;
  std::getline(std::cin, line);
  return !line.empty() && (line[0] == 'r' || line[0] == 'R') ? OnStop::turn_back : OnStop::leave;
}

}  // namespace

Result<Worker> Worker::start(const fs::path& directory, const std::vector<std::string>& arguments,
                             const Lock& lock) {
  if (auto made = make_directory(directory, 0700); !made) return made.error();
  forget_old_outputs(directory);
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  fs::path out = directory / fmt::format("{}-{}.out", now, ::getpid());
  fs::path err = directory / fmt::format("{}-{}.err", now, ::getpid());
  UniqueFd out_fd = open_output(out);
  UniqueFd err_fd = open_output(err);
  if (!out_fd || !err_fd) return io_error("cannot write", directory.string(), errno);
  std::error_code ignored;
  fs::remove(directory / "current.err", ignored);
  fs::create_symlink(err, directory / "current.err", ignored);

  std::vector<std::string> words = arguments;
  words.push_back("--worker-lock-fd");
  words.push_back(lock.handle());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return io_error("cannot start", words[0], errno);
  if (pid == 0) become_worker(lock, out_fd.get(), err_fd.get(), argv.data());
  return Worker(pid, std::move(out_fd), std::move(err_fd), out, err);
}

std::optional<int> Worker::follow(std::stop_token stop, OnStop on_stop) {
  OutputTail out(out_path_, STDOUT_FILENO);
  OutputTail err(err_path_, STDERR_FILENO);
  bool handled = false;
  for (;;) {
    int raw = 0;
    const pid_t ended = ::waitpid(pid_, &raw, WNOHANG);
    err.copy();
    out.copy();
    if (ended == pid_) return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    if (ended < 0 && errno != EINTR) return std::nullopt;
    if (stop.stop_requested() && !handled) {
      handled = true;
      if (on_stop == OnStop::ask) on_stop = ask_person();
      if (on_stop == OnStop::leave) return std::nullopt;
      ::kill(pid_, SIGINT);
    }
    std::this_thread::sleep_for(poll_interval);
  }
}

bool follow_current(const fs::path& directory, Store& store,
                    std::optional<std::chrono::nanoseconds> timeout, std::stop_token stop) {
  OutputTail err(directory / "current.err", STDERR_FILENO);
  const auto began = std::chrono::steady_clock::now();
  bool in_time = true;
  while (store.lock_holder() && !stop.stop_requested() && in_time) {
    err.copy();
    std::this_thread::sleep_for(poll_interval * 10);
    in_time = !timeout || std::chrono::steady_clock::now() - began < *timeout;
  }
  err.copy();
  return in_time;
}

int start_and_follow(const fs::path& directory, std::unique_ptr<Lock> lock,
                     const std::string& program, std::stop_token stop) {
  auto worker = Worker::start(directory, own_arguments(), *lock);
  // From here on the lock is the worker's: it is free when the worker has ended.
  lock.reset();
  if (!worker) {
    print_error(program, worker.error().text());
    return static_cast<int>(ExitCode::failed);
  }
  const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
  const auto status = worker->follow(stop, terminal ? OnStop::ask : OnStop::turn_back);
  if (!status) {
    print_warning(program, "it goes on; follow it with 'rollback --status --wait'");
    return static_cast<int>(ExitCode::interrupted);
  }
  if (*status > 128 && *status != static_cast<int>(ExitCode::interrupted)) {
    print_error(program, fmt::format("the worker was ended by signal {}; run 'rollback --resume'",
                                     *status - 128));
    return static_cast<int>(ExitCode::needs_human);
  }
  return *status;
}

}  // namespace slipway::deploy
