#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::deploy {

// Of an answer that is not what it should be this much is kept.
inline constexpr std::size_t most_said = 2000;

// What the pages for health and readiness said, reduced to what matters. The texts are as they
// came: they go through foreign_text() before anybody sees them.
struct HealthAnswer {
  int status = 0;            // HTTP status of the health page
  bool well_formed = false;  // its body is a JSON object; the fields below may be empty
  std::string health;        // field status: pass, warn or fail
  std::string release_id;    // field releaseId
  std::string version;       // field version
  std::string role;          // active, standby, draining or drained
  bool ready = false;        // the ready page answered 200
  int ready_status = 0;      // its HTTP status; 0: it was not asked
  // How an answer begins that is not what it should be.
  std::string said = {};
  std::string ready_said = {};
};

// The answer of the health page (draft-inadarei-api-health-check); `ready` is left open.
HealthAnswer parse_health(int status, std::string_view body);

}  // namespace slipway::deploy
