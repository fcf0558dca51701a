#include "base/error.hpp"

#include <stdexcept>
#include <system_error>

#include <fmt/core.h>

namespace slipway {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::unreachable:
      return "unreachable";
    case ErrorKind::timeout:
      return "timeout";
    case ErrorKind::protocol:
      return "protocol";
    case ErrorKind::io:
      return "io";
    case ErrorKind::corrupt:
      return "corrupt";
    case ErrorKind::busy:
      return "busy";
    case ErrorKind::cancelled:
      return "cancelled";
    case ErrorKind::failed:
      return "failed";
  }
  return "unknown";
}

std::string Error::text() const {
  return remedy.empty() ? what : what + "; " + remedy;
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(error.text());
}

Error io_error(std::string_view doing, std::string_view thing, int saved_errno) {
  return {ErrorKind::io,
          fmt::format("{} {}: {}", doing, thing, std::generic_category().message(saved_errno)),
          {}};
}

}  // namespace slipway
