#pragma once

#include "base/command_line.hpp"
#include "base/error.hpp"
#include "net/tls.hpp"

#include <string>

namespace slipway::bench {

// How targets with TLS are trusted, and what we prove to be: the flags of all commands that drive
// one.
class TlsFlags {
 public:
  // Declares them, in a group of the help.
  void add(Flags& command, const std::string& group_name);

  // Errors (`usage`): one was given and nothing is reached through TLS (`used`), or only half of a
  // client's certificate.
  Result<net::TlsOptions> checked(bool used) const;

 private:
  std::string ca_file_;
  bool insecure_ = false;
  std::string certificate_;
  std::string key_;
};

}  // namespace slipway::bench
