#pragma once

// Spans for an OpenTelemetry collector: OTLP over HTTP in its JSON encoding. Source:
// opentelemetry.io/docs/specs/otlp, opentelemetry-proto 1.x.

#include "base/error.hpp"
#include "net/http_client.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace slipway::net {

struct OtlpAttribute {
  std::string key;
  std::variant<std::string, std::int64_t> value;
};

struct OtlpSpan {
  std::string trace_id;  // 32 hexadecimal digits
  std::string span_id;   // 16
  std::string parent;    // 16, or empty
  std::string name;
  std::chrono::system_clock::time_point start;
  std::chrono::system_clock::time_point end;
  std::vector<OtlpAttribute> attributes;
  bool is_good = true;
  std::string message = {};  // of one that is not
};

struct OtlpTraces {
  std::vector<OtlpAttribute> resource;  // who made them
  std::string scope;                    // with which part of it
  std::vector<OtlpSpan> spans;
};

// An ExportTraceServiceRequest. Texts are foreign: cut at 1,000 bytes, escaped.
std::string otlp_json(const OtlpTraces& traces);

// A POST to a collector's address, http(s)://HOST:4318/v1/traces, without its body. Errors: usage.
Result<HttpRequest> otlp_request(const std::string& url);

// Hands it over. Errors: as http_request(); protocol where the collector does not take it.
Result<void> post_otlp(const HttpRequest& request, std::stop_token stop = {});

}  // namespace slipway::net
