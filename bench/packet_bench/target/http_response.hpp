#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace slipway::bench {

// One HTTP/1.1 response as a view into the bytes it was parsed from.
struct HttpResponse {
  int status = 0;
  std::string_view head;  // status line and fields, without the empty line
  std::string_view body;  // still chunked if `chunked`
  bool chunked = false;
  bool closes = false;          // the server closes the connection after it
  std::size_t size = 0;         // of the whole response
  std::string_view fault = {};  // why it is invalid, as the end of "the target: ..."

  // The value of the first field of that name, whatever its case, without blanks around it; nothing
  // where there is none.
  std::optional<std::string_view> header(std::string_view name) const;
};

enum class HttpParse { response, incomplete, invalid };

// The response at the front of `input` (RFC 9112). Understands Content-Length, chunked bodies,
// bodies that end with the connection (`ended`: it has), and the statuses without a body. Interim
// 1xx responses are skipped as a whole. `to_head`: it answers a HEAD request, so it has no body,
// whatever length it tells.
HttpParse parse_http_response(std::string_view input, HttpResponse& response, bool to_head = false,
                              bool ended = false);

// The content of a chunked body that was parsed.
std::string unchunked(std::string_view body);

}  // namespace slipway::bench
