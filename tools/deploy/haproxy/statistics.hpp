#pragma once

// What HAProxy's runtime socket says of its servers and of what it counted. Pure.

#include "deploy/model/bake.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::deploy {

struct Server {
  std::string backend;
  std::string address;
  std::uint16_t port = 0;
};

// The answer to `show servers state`; a line that is none of a server is passed over.
std::vector<Server> parse_servers(std::string_view answer);

bool has_server(const std::vector<Server>& servers, std::string_view address, std::uint16_t port);
// The backends that have a server at this address.
std::set<std::string> backends_of(const std::vector<Server>& servers, std::string_view address);

struct Counted {
  std::uint64_t sessions = 0;  // that go on
  // Answers of the backends for HTTP; bad are those of class 5xx, also where HAProxy itself gave
  // them in place of a server that did not.
  Totals totals;
};

// The answer to `show stat`, summed over these backends.
Counted count(std::string_view csv, const std::set<std::string>& backends);

}  // namespace slipway::deploy
