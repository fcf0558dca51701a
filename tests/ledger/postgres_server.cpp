#include "ledger/postgres_server.hpp"

#include "base/durable_file.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <unistd.h>

namespace slipway::ledger::test {
namespace {

using namespace std::chrono_literals;

// Debian keeps them out of the PATH.
std::filesystem::path find_programs() {
  std::filesystem::path found;
  std::error_code absent;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", absent)) {
    if (std::filesystem::exists(version.path() / "bin/initdb")) found = version.path() / "bin";
  }
  if (found.empty()) {
    std::puts("skipped: not installed: PostgreSQL's server; run scripts/setup test");
    std::fflush(stdout);
    std::_Exit(77);
  }
  return found;
}

// A dead process that nobody has reaped yet does not.
bool runs(pid_t pid) {
  const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t state = stat ? stat->rfind(") ") : std::string::npos;
  return state != std::string::npos && (*stat)[state + 2] != 'Z' && (*stat)[state + 2] != 'X';
}

}  // namespace

PostgresServer::PostgresServer(const std::filesystem::path& folder)
    : folder_(folder), programs_(find_programs()) {
  if (folder_.empty()) folder_ = own_.emplace().path();
  if (::geteuid() == 0) {
    run_command({.argv = {"chown", "postgres", folder_.string()}}).value();
  }
  const auto made = run_command(
      {.argv = as_its_user({(programs_ / "initdb").string(), "--pgdata",
                            (folder_ / "data").string(), "--auth=trust", "--username=ledger",
                            "--encoding=UTF8", "--no-locale", "--no-instructions"})});
  if (!made || made->exit_status != 0) {
    throw std::runtime_error("initdb: " + (made ? made->err : made.error().text()));
  }
  start();
}

PostgresServer::~PostgresServer() {
  // SIGINT: end at once, with what is connected. The group dies with the owner in any case.
  if (server_) server_->send_signal(SIGINT);
}

std::vector<std::string> PostgresServer::as_its_user(std::vector<std::string> argv) const {
  if (::geteuid() != 0) return argv;
  // With its user it would forget that it is to die with us.
  std::vector<std::string> all{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
                               "--pdeathsig=INT"};
  all.insert(all.end(), argv.begin(), argv.end());
  return all;
}

void PostgresServer::start() {
  const std::string folder = folder_.string();
  auto child = Child::start(
      {.argv = as_its_user({(programs_ / "postgres").string(), "-D", folder + "/data", "-c",
                            "listen_addresses=", "-c", "unix_socket_directories=" + folder, "-c",
                            "logging_collector=off", "-c", "max_connections=30"}),
       .output_file = folder + "/server.log"});
  if (!child) throw std::runtime_error(child.error().text());
  server_.emplace(std::move(*child));
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  const Command ask{.argv = {(programs_ / "pg_isready").string(), "--quiet", "-h", folder, "-U",
                             "ledger", "-d", "postgres"}};
  for (;;) {
    const auto ready = run_command(ask);
    if (ready && ready->exit_status == 0) return;
    if (server_->exit_status() || std::chrono::steady_clock::now() > deadline) {
      const auto said = read_file(folder_ / "server.log");
      throw std::runtime_error("the PostgreSQL server does not start: " + (said ? *said : folder));
    }
    std::this_thread::sleep_for(50ms);
  }
}

// Its children are in sessions of their own, and would only end when they notice.
void PostgresServer::kill() {
  const std::string pid = std::to_string(server_->pid());
  std::istringstream children(read_file("/proc/" + pid + "/task/" + pid + "/children").value());
  std::vector<pid_t> all{server_->pid()};
  for (pid_t child; children >> child;) all.push_back(child);
  for (const pid_t one : all) ::kill(one, SIGKILL);
  while (!server_->exit_status()) std::this_thread::sleep_for(1ms);
  for (const pid_t one : all) {
    while (runs(one)) std::this_thread::sleep_for(1ms);
  }
  server_.reset();
  std::error_code absent;
  std::filesystem::remove(folder_ / "data/postmaster.pid", absent);
  std::filesystem::remove(folder_ / ".s.PGSQL.5432.lock", absent);
}

std::string PostgresServer::store() const {
  return "postgresql:///postgres?host=" + folder_.string() + "&user=ledger";
}

std::string PostgresServer::run(const std::string& sql) const {
  const auto done =
      run_command({.argv = {(programs_ / "psql").string(), "--no-psqlrc", "-qtA", "-h",
                            folder_.string(), "-U", "ledger", "-d", "postgres", "-c", sql}});
  if (!done || done->exit_status != 0) {
    throw std::runtime_error("psql: " + (done ? done->err : done.error().text()));
  }
  return done->out;
}

}  // namespace slipway::ledger::test
