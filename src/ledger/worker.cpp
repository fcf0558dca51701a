#include "ledger/worker.hpp"

#include <exception>

#include <boost/assert.hpp>

namespace slipway::ledger {

Worker::Worker(std::unique_ptr<Store> store, std::function<void()> done)
    : store_(std::move(store)), done_call_(std::move(done)), thread_([this] { run(); }) {}

Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Worker::start(Job job) {
  BOOST_ASSERT(!busy_);
  busy_ = true;
  {
    const std::lock_guard lock(mutex_);
    job_ = std::move(job);
  }
  changed_.notify_all();
}

std::optional<Worker::Done> Worker::take() {
  const std::lock_guard lock(mutex_);
  auto done = std::exchange(done_, std::nullopt);
  if (done) busy_ = false;
  return done;
}

void Worker::wait(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [this] { return done_.has_value(); });
}

void Worker::run() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || job_; });
      if (!job_) return;
      job = std::move(*std::exchange(job_, std::nullopt));
    }
    Done done = perform(job);
    {
      const std::lock_guard lock(mutex_);
      done_ = std::move(done);
    }
    changed_.notify_all();
    done_call_();
  }
}

Worker::Done Worker::perform(Job& job) {
  const auto told = [](auto result) -> Done {
    if (!result) return result.error();
    return std::move(*result);
  };
  try {
    if (const auto* open = std::get_if<Open>(&job)) return told(store_->open(open->wants_room));
    if (const auto* look = std::get_if<Look>(&job)) return told(store_->look(look->settle_ended));
    if (const auto* batch = std::get_if<Batch>(&job)) return told(store_->write(*batch));
    auto closed = store_->close(std::get<Close>(job).batch);
    if (!closed) return closed.error();
    if (closed->settled_at) return std::move(*closed);
    return std::monostate{};
  } catch (const std::exception& thrown) {
    // A damaged ledger may have a text where a number should be.
    return Error{ErrorKind::corrupt, std::string("the ledger: ") + thrown.what(),
                 "run `connector ledger verify`"};
  }
}

}  // namespace slipway::ledger
