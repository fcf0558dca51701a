#pragma once

#include "ledger/store.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>

namespace slipway::ledger {

// The Store on a thread of its own: an I/O loop hands it one job at a time and never waits for it.
class Worker {
 public:
  struct Open {
    bool wants_room;
  };
  struct Look {
    bool settle_ended;
  };
  struct Close {
    Batch batch;
  };
  using Job = std::variant<Open, Batch, Look, Close>;
  // What came of the job.
  using Done = std::variant<Opened, Written, Error, std::monostate>;  // the last: closed

  // `done` is called on the thread, after each job.
  Worker(std::unique_ptr<Store> store, std::function<void()> done);
  ~Worker();  // waits for the job that runs
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Not while another is under way.
  void start(Job job);
  bool is_busy() const { return busy_; }
  // What came of the job, once; nothing while it runs.
  std::optional<Done> take();
  // Until the job has ended, at most so long.
  void wait(std::chrono::milliseconds at_most);

 private:
  void run();
  Done perform(Job& job);

  std::unique_ptr<Store> store_;
  std::function<void()> done_call_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Job> job_;
  std::optional<Done> done_;
  bool ending_ = false;
  bool busy_ = false;  // of the caller's thread
  std::thread thread_;
};

}  // namespace slipway::ledger
