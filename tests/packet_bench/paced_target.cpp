// A packet target for tests that can do exactly R packets/s, and can misbehave on demand. It shares
// nothing with packet_bench but src/wire, and keeps its own log of when packets came and were
// answered, so that packet_bench's figures can be checked against somebody else's.
//
// It serves as a fluid queue: packet i is done at max(arrival, done of i - 1) + 1/R. Time that the
// machine takes from this process while packets wait is made up for, so that R is exact on a noisy
// machine as well.
#include "base/command_line.hpp"
#include "base/unique_fd.hpp"
#include "packet_bench/paced_settings.hpp"
#include "wire/btp_frame.hpp"
#include "wire/websocket_frame.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <map>
#include <memory>
#include <netinet/tcp.h>
#include <sched.h>
#include <string>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <fmt/core.h>
#include <openssl/evp.h>

using namespace slipway;

namespace {

using Clock = std::chrono::steady_clock;

struct Peer {
  UniqueFd fd;
  std::vector<std::uint8_t> in;
  std::vector<std::uint8_t> out;
  std::size_t written = 0;
  bool upgraded = false;
  bool http = false;
  wire::WebSocketDecoder decoder{wire::WebSocketRole::server, std::size_t{1} << 20};
};

struct Job {
  int fd;
  std::uint32_t request_id;
  std::uint8_t preimage[32];
  std::uint64_t number;
  Clock::time_point arrival;
  Clock::time_point done;
};

volatile std::sig_atomic_t stopping = 0;

std::string accept_of(const std::string& key) {
  const std::string joined = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[20];
  ::EVP_Digest(joined.data(), joined.size(), digest, nullptr, ::EVP_sha1(), nullptr);
  char text[32];
  const int length = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text), digest, 20);
  return {text, static_cast<std::size_t>(length)};
}

class Server {
 public:
  explicit Server(const PacedSettings& settings) : settings_(settings) {}

  int run() {
    listen();
    while (stopping == 0) turn();
    write_log();
    fmt::print(stderr, "{{\"received\":{},\"answered\":{}}}\n", received_, answered_);
    return 0;
  }

 private:
  void listen() {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_.get(), 512) != 0) {
      throw std::runtime_error("cannot listen");
    }
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    watch(listener_.get(), EPOLLIN, EPOLL_CTL_ADD);
    fmt::print("{{\"event\":\"listening\",\"btpPort\":{}}}\n", ntohs(address.sin_port));
    std::fflush(stdout);
    if (!settings_.log.empty()) log_.reserve(2'000'000);
  }

  void watch(int fd, std::uint32_t events, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    ::epoll_ctl(epoll_.get(), operation, fd, &event);
  }

  void turn() {
    const auto now = Clock::now();
    if (frozen(now)) return;
    if (settings_.close_at_s >= 0 && first_ != Clock::time_point{} &&
        std::chrono::duration<double>(now - first_).count() >= settings_.close_at_s) {
      settings_.close_at_s = -1;
      close_all();
    }
    answer_done(now);
    timespec timeout{0, 50'000'000};
    if (!queue_.empty()) {
      const auto left = std::max<std::int64_t>(0, (queue_.front().done - Clock::now()).count());
      timeout.tv_nsec = static_cast<long>(std::min<std::int64_t>(left, 50'000'000));
    }
    epoll_event events[64];
    const int count = ::epoll_pwait2(epoll_.get(), events, 64, &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == listener_.get()) {
        accept();
      } else {
        serve(events[i].data.fd, events[i].events);
      }
    }
  }

  // Neither reads nor answers for a while, as if stopped.
  bool frozen(Clock::time_point now) {
    if (settings_.freeze_at_s < 0 || first_ == Clock::time_point{}) return false;
    const double since = std::chrono::duration<double>(now - first_).count();
    if (since < settings_.freeze_at_s) return false;
    settings_.freeze_at_s = -1;
    ::usleep(static_cast<useconds_t>(settings_.freeze_for_s * 1e6));
    return true;
  }

  // A child that stops this process and lets it go on.
  void start_stopper() const {
    const pid_t target = ::getpid();
    if (::fork() != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::usleep(static_cast<useconds_t>(settings_.stop_at_s * 1e6));
    ::kill(target, SIGSTOP);
    ::usleep(static_cast<useconds_t>(settings_.stop_for_s * 1e6));
    ::kill(target, SIGCONT);
    ::_exit(0);
  }

  void close_all() {
    for (const auto& [fd, peer] : peers_) {
      wire::encode_close(wire::WebSocketRole::server, wire::CloseCode::going_away, "draining", 0,
                         peer->out);
      flush(*peer);
    }
    peers_.clear();
  }

  void accept() {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    peers_[fd] = std::make_unique<Peer>();
    peers_[fd]->fd.reset(fd);
    watch(fd, EPOLLIN, EPOLL_CTL_ADD);
  }

  void serve(int fd, std::uint32_t events) {
    const auto found = peers_.find(fd);
    if (found == peers_.end()) return;
    Peer& peer = *found->second;
    if ((events & EPOLLOUT) != 0) flush(peer);
    const std::size_t had = peer.in.size();
    peer.in.resize(had + 262144);
    const ssize_t got = ::read(fd, peer.in.data() + had, 262144);
    peer.in.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
      peers_.erase(found);
      return;
    }
    const auto now = Clock::now();
    if (!peer.upgraded && !peer.http && !upgrade(peer)) return;
    if (peer.http) {
      take_http(peer, now);
      answer_done(Clock::now());
      return flush(peer);
    }
    std::span<std::uint8_t> input(peer.in);
    while (const auto message = peer.decoder.next(input)) {
      if (message->opcode == wire::WebSocketOpcode::close) break;
      if (message->opcode == wire::WebSocketOpcode::binary) take(peer, message->payload, now);
    }
    peer.in.erase(peer.in.begin(), peer.in.end() - static_cast<std::ptrdiff_t>(input.size()));
    answer_done(Clock::now());
    flush(peer);
  }

  bool upgrade(Peer& peer) {
    const std::string head(peer.in.begin(), peer.in.end());
    const std::size_t end = head.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::string name = "Sec-WebSocket-Key: ";
    const std::size_t at = head.find(name);
    if (at == std::string::npos) {
      peer.http = true;
      return true;
    }
    const std::string key = head.substr(at + name.size(), 24);
    const std::string answer = fmt::format(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: {}\r\n\r\n",
        accept_of(key));
    peer.out.insert(peer.out.end(), answer.begin(), answer.end());
    peer.in.erase(peer.in.begin(), peer.in.begin() + static_cast<std::ptrdiff_t>(end + 4));
    peer.upgraded = true;
    flush(peer);
    return true;
  }

  // GET, or ILP-over-HTTP: a POST whose body is a Prepare. The peer's next answer is its oldest
  // request's, since the queue is served in order.
  void take_http(Peer& peer, Clock::time_point now) {
    for (;;) {
      const std::string_view text(reinterpret_cast<const char*>(peer.in.data()), peer.in.size());
      const std::size_t end = text.find("\r\n\r\n");
      if (end == std::string_view::npos) return;
      std::size_t length = 0;
      const std::size_t field = text.substr(0, end).find("Content-Length: ");
      if (field != std::string_view::npos)
        length = std::stoul(std::string(text.substr(field + 16, 9)));
      if (text.size() < end + 4 + length) return;
      Job job{peer.fd.get(), 0, {}, received_++, now, now};
      if (length > 0) {
        const auto packet = wire::decode_packet(wire::Bytes(peer.in).subspan(end + 4, length));
        if (!packet) return;
        std::memcpy(job.preimage, std::get<wire::Prepare>(*packet).data.data(), 32);
      }
      peer.in.erase(peer.in.begin(),
                    peer.in.begin() + static_cast<std::ptrdiff_t>(end + 4 + length));
      enqueue(job, now);
    }
  }

  void enqueue(Job job, Clock::time_point now) {
    if (first_ == Clock::time_point{}) {
      first_ = now;
      if (settings_.stop_at_s >= 0) start_stopper();
    }
    const auto service = std::chrono::nanoseconds(
        settings_.rate > 0 ? static_cast<std::int64_t>(1e9 / settings_.rate) : 0);
    last_done_ = std::max(now, last_done_) + service;
    job.done = last_done_;
    queue_.push_back(job);
  }

  void take(Peer& peer, wire::Bytes payload, Clock::time_point now) {
    const auto frame = wire::decode_btp_frame(payload);
    if (!frame || frame->type != wire::BtpType::message) return;
    const wire::SubProtocol* ilp = frame->find("ilp");
    if (ilp == nullptr) {
      std::vector<std::uint8_t> answer;
      wire::encode_btp(wire::BtpType::response, frame->request_id, {}, answer);
      wire::encode_frame(wire::WebSocketRole::server, wire::WebSocketOpcode::binary, answer, 0,
                         peer.out);
      return;
    }
    const auto packet = wire::decode_packet(ilp->data);
    if (!packet) return;
    const auto& prepare = std::get<wire::Prepare>(*packet);
    Job job{peer.fd.get(), frame->request_id, {}, received_++, now, now};
    std::memcpy(job.preimage, prepare.data.data(), 32);
    if (settings_.batch) return answer(peer, job);
    enqueue(job, now);
  }

  void answer_done(Clock::time_point now) {
    std::vector<int> touched;
    while (!queue_.empty() && queue_.front().done <= now) {
      const Job job = queue_.front();
      queue_.pop_front();
      const auto found = peers_.find(job.fd);
      if (found == peers_.end()) continue;
      answer(*found->second, job);
      if (touched.empty() || touched.back() != job.fd) touched.push_back(job.fd);
      if (!settings_.log.empty()) {
        log_.push_back(job.arrival.time_since_epoch().count());
        log_.push_back(now.time_since_epoch().count());
      }
    }
    for (const int fd : touched) flush(*peers_.at(fd));
  }

  void answer(Peer& peer, const Job& job) {
    const bool faulty = settings_.fault != "none" && job.number % settings_.every == 0;
    if (faulty && settings_.fault == "lose") return;
    std::uint8_t preimage[32];
    std::memcpy(preimage, job.preimage, 32);
    if (faulty && settings_.fault == "wrong") preimage[7] ^= 1;
    packet_.clear();
    if (faulty && settings_.fault == "reject") {
      wire::encode(wire::Reject{"T04", "test.paced", "on purpose", {}}, packet_);
    } else {
      wire::encode(wire::Fulfill{preimage, {}}, packet_);
    }
    send(peer, job.request_id, packet_);
    if (faulty && settings_.fault == "duplicate") send(peer, job.request_id, packet_);
    if (faulty && settings_.fault == "unexpected") send(peer, 0x7ffffff0, packet_);
    if (faulty && settings_.fault == "garbage") {
      packet_.assign(20, 0xee);
      send(peer, job.request_id, packet_);
    }
    if (++answered_ == settings_.tell) {
      fmt::print("{{\"event\":\"answered\",\"packets\":{}}}\n", answered_);
      std::fflush(stdout);
    }
  }

  void send(Peer& peer, std::uint32_t request_id, wire::Bytes packet) {
    if (peer.http) {
      const std::string head =
          fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", packet.size());
      peer.out.insert(peer.out.end(), head.begin(), head.end());
      peer.out.insert(peer.out.end(), packet.begin(), packet.end());
      return;
    }
    wire::encode_frame_header(wire::WebSocketRole::server, wire::WebSocketOpcode::binary,
                              wire::btp_ilp_size(packet.size()), 0, peer.out);
    wire::encode_btp_ilp(wire::BtpType::response, request_id, packet, peer.out);
  }

  void flush(Peer& peer) {
    while (peer.written < peer.out.size()) {
      const ssize_t put = ::send(peer.fd.get(), peer.out.data() + peer.written,
                                 peer.out.size() - peer.written, MSG_NOSIGNAL);
      if (put < 0) {
        if (errno == EAGAIN) watch(peer.fd.get(), EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
        return;
      }
      peer.written += static_cast<std::size_t>(put);
    }
    if (peer.written > 0) watch(peer.fd.get(), EPOLLIN, EPOLL_CTL_MOD);
    peer.out.clear();
    peer.written = 0;
  }

  void write_log() {
    if (settings_.log.empty()) return;
    std::FILE* file = std::fopen(settings_.log.c_str(), "wb");
    if (file == nullptr) return;
    std::fwrite(log_.data(), sizeof(std::int64_t), log_.size(), file);
    std::fclose(file);
  }

  PacedSettings settings_;
  UniqueFd epoll_{::epoll_create1(0)};
  UniqueFd listener_;
  std::map<int, std::unique_ptr<Peer>> peers_;
  std::deque<Job> queue_;
  Clock::time_point last_done_;
  Clock::time_point first_;
  std::uint64_t received_ = 0;
  std::uint64_t answered_ = 0;
  std::vector<std::int64_t> log_;
  std::vector<std::uint8_t> packet_;
};

}  // namespace

int main(int argc, char** argv) {
  return guarded_main("paced_target", 1, [&] {
    CommandLine line("paced_target", "A packet target for tests that can do exactly R packets/s.");
    PacedSettings settings;
    settings.declare(line);
    if (const auto status = line.parse(argc, argv)) return *status;
    std::signal(SIGTERM, [](int) { stopping = 1; });
    std::signal(SIGINT, [](int) { stopping = 1; });
    ::prctl(PR_SET_TIMERSLACK, 1);
    // Other programs' load must not slow it down; without the privilege it is as exact as it can
    // be.
    const sched_param lowest{.sched_priority = 1};
    if (::sched_setscheduler(0, SCHED_FIFO, &lowest) != 0) std::perror("sched_setscheduler");
    return Server(settings).run();
  });
}
