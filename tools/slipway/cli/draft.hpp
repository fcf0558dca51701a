#pragma once

#include "service/read_service.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::front {

// What a Dockerfile says of the service that slipway.yml would say again.
struct DockerfileFacts {
  std::optional<std::uint16_t> port;  // the first EXPOSE of a TCP port
  std::string health;                 // the path of the URL in HEALTHCHECK; may be empty
  bool takes_revision = false;        // ARG REVISION: the image can say which commit it is
};

DockerfileFacts facts_of(std::string_view dockerfile);

// A first slipway.yml: what is known, and what only its author knows as a comment.
std::string draft_of(const service::Defaults& defaults, const DockerfileFacts& facts);

}  // namespace slipway::front
