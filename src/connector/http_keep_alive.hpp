#pragma once

#include "net/http_stream.hpp"

#include <cstddef>
#include <memory>
#include <set>

namespace slipway::connector {

// The connections of ILP-over-HTTP that wait for another request. A drain ends them too: a sender
// must not stay with a process that serves no more while another one does.
class HttpKeepAlive {
  using Streams = std::set<net::HttpStream*>;

 public:
  // From now on every answer is the last on its connection.
  void end() { ending_ = true; }
  void begin_again() { ending_ = false; }
  bool ending() const { return ending_; }

  // Whether any waits.
  bool has_idle() const { return !idle_->empty(); }

  // Closes so many of those that wait and have sent nothing that could still be answered; how many.
  std::size_t close_idle(std::size_t at_most) {
    std::size_t closed = 0;
    for (net::HttpStream* stream : Streams(*idle_)) {
      if (closed == at_most) break;
      if (stream->has_unread()) continue;
      stream->close();
      ++closed;
    }
    return closed;
  }

  // While it exists the connection waits for another request. It may outlive what it was made
  // from: a coroutine that still waits at exit goes with the io_context, after everything else.
  class Idle {
   public:
    Idle(HttpKeepAlive& all, net::HttpStream& stream) : streams_(all.idle_), stream_(&stream) {
      streams_->insert(stream_);
    }
    ~Idle() { streams_->erase(stream_); }
    Idle(const Idle&) = delete;
    Idle& operator=(const Idle&) = delete;

   private:
    std::shared_ptr<Streams> streams_;
    net::HttpStream* stream_;
  };

 private:
  bool ending_ = false;
  std::shared_ptr<Streams> idle_ = std::make_shared<Streams>();
};

}  // namespace slipway::connector
