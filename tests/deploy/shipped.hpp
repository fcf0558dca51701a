#pragma once

#include "fake_host.hpp"
#include "support/catch.hpp"

namespace slipway::test {

// Each of `tags` was deployed on `host`, one after the other; those that nobody published are good.
inline void ship(FakeHost& host, const std::vector<std::string>& tags) {
  for (const std::string& tag : tags) {
    if (!host.registry.contains(tag)) host.publish(tag);
    const Report report = host.run(Action::deploy, tag);
    INFO(tag << ": " << report.message);
    REQUIRE(report.exit_code == ExitCode::done);
  }
}

}  // namespace slipway::test
