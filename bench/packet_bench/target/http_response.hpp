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
  bool closes = false;   // the server closes the connection after it
  std::size_t size = 0;  // of the whole response

  // The value of the first field of that name, whatever its case, without blanks around it; nothing
  // where there is none.
  std::optional<std::string_view> header(std::string_view name) const;
};

enum class HttpParse { response, incomplete, invalid };

// The response at the front of `input`. Understands Content-Length, chunked bodies, and the
// statuses without a body; a response that ends with the connection is invalid (keep-alive is what
// is measured). Interim 1xx responses are skipped as a whole. `to_head`: it answers a HEAD request,
// so it has no body, whatever length it tells.
HttpParse parse_http_response(std::string_view input, HttpResponse& response, bool to_head = false);

// The content of a chunked body that was parsed.
std::string unchunked(std::string_view body);

}  // namespace slipway::bench
