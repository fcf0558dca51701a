#pragma once

#include <string>
#include <string_view>

#include <boost/system/result.hpp>

namespace slipway {

// What a caller may have to tell apart. Message texts are for people and never matched on.
enum class ErrorKind {
  usage,        // the caller asked for something that makes no sense
  not_found,    // the thing named does not exist
  unreachable,  // nothing answered, or the connection was refused or lost
  timeout,      // a deadline passed
  protocol,     // something answered, but not what the protocol allows
  io,           // the operating system refused a file, socket or process operation
  corrupt,      // stored data does not pass its own checks
  busy,         // somebody else holds it
  cancelled,    // SIGINT, SIGTERM or a stop request
  failed,       // it ran and reported failure
};

std::string_view to_string(ErrorKind kind);

// An expected failure. `what` names what was being done, the thing and the cause; `remedy`, if
// there is one, says what to do about it.
struct Error {
  ErrorKind kind = ErrorKind::failed;
  std::string what;
  std::string remedy;

  // "what; remedy" as one line without a newline.
  std::string text() const;
};

template <typename T = void>
using Result = boost::system::result<T, Error>;

// boost::system::result calls this when value() is asked of an error: a bug on our side, unless a
// module edge means to turn an Error into an exception for the one catch in main.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& location);

// An Error of kind `io` from errno, which the caller saved before any clean-up.
Error io_error(std::string_view doing, std::string_view thing, int saved_errno);

}  // namespace slipway
