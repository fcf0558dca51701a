#pragma once

#include "packet_bench/target/channel.hpp"
#include "packet_bench/target/connection.hpp"
#include "packet_bench/target/prepare_template.hpp"
#include "packet_bench/target/served_check.hpp"
#include "packet_bench/target/target.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::bench {

// What is asked of a web server: the same request for every packet, or one of several; for
// ILP-over-HTTP a POST whose body is the packet's Prepare.
struct HttpRequest {
  // Asked as often as its weight is of all of them. The body goes with methods that have one.
  struct Part {
    double weight = 1;
    std::string method;
    std::string path;
  };

  std::string method = "GET";
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  unsigned pipeline = 1;  // requests in flight on one connection
  ServedCheck served;
  std::vector<Part> parts;  // empty: only `method` at the target's path

  // Whether one of the headers has this name, written in small letters.
  bool has_header(std::string_view name) const;
};

// What a channel is made of; all of it outlives the channel.
struct ChannelParts {
  Poller& poller;
  const Target& target;
  const Address& address;
  const HttpRequest& http;
  PrepareTemplate* prepare;  // of a scheme that pays: of all channels of a thread to the account
  std::uint64_t seed;
  ChannelEvents& events;
};

// A way to drive a target. A new one is a channel of its own, this in its file, and a line in
// scheme.cpp.
struct Scheme {
  std::string_view name;      // "btp+ws"
  std::string_view tls_name;  // the same through TLS
  std::string_view example;   // for the help
  bool pays = false;          // ILP packets, to an account
  bool requests = false;      // in HTTP requests
  std::unique_ptr<Channel> (*make)(const ChannelParts& parts) = nullptr;

  bool is_web() const { return requests && !pays; }
};

// What a scheme's channel is made by.
template <typename Made>
std::unique_ptr<Channel> make_channel(const ChannelParts& parts) {
  return std::make_unique<Made>(parts);
}

std::span<const Scheme* const> schemes();

}  // namespace slipway::bench
