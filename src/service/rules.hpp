#pragma once

// What must hold between the keys of slipway.yml.

#include "service/field.hpp"

#include <chrono>
#include <string>

namespace slipway::service {

// A gate that starts a container needs a request; one that starts its own target takes none.
Rule needs_request();

// The regular expression at this key compiles.
Rule is_expression(std::string key);

// The first duration, as read, is not longer than the second.
Rule not_longer(std::string key, const std::chrono::nanoseconds& value, std::string limit_key,
                const std::chrono::nanoseconds& limit);

// The duration, as read, is at least `least`.
Rule not_shorter(std::string key, const std::chrono::nanoseconds& value,
                 std::chrono::nanoseconds least);

// No variable has a value written here and one that is a secret.
Rule secrets_are_not_written();

// The HTTP port is not among the others.
Rule tcp_is_not_http();

// A service with roles is one instance.
Rule one_with_roles();

// A bake needs somebody who counts answers, and in a cluster that is only the service itself.
Rule bake_counts_in_cluster();

// No two mounts are at one place.
Rule places_differ();

}  // namespace slipway::service
