#pragma once

#include <string>
#include <string_view>

namespace slipway::deploy {

// What /health and /health/ready said, reduced to what matters. The texts are as they came: they
// go through foreign_text() before anybody sees them.
struct HealthAnswer {
  int status = 0;            // HTTP status of /health
  bool well_formed = false;  // the body is a JSON object with the fields below
  std::string health;        // field status: pass, warn or fail
  std::string release_id;    // field releaseId
  std::string version;       // field version
  std::string role;          // active, standby, draining or drained
  bool ready = false;        // /health/ready answered 200
};

// The answer to /health (draft-inadarei-api-health-check); `ready` is left open.
HealthAnswer parse_health(int status, std::string_view body);

}  // namespace slipway::deploy
