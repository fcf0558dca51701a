#pragma once

#include "base/error.hpp"
#include "service/service.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace slipway::service {

// As a service's name must be, 42 small letters, digits and hyphens at most, of any other name.
std::string plain_name(std::string name);

// What slipway.yml need not say: taken from the repository that it lies in, or from a host. What no
// slipway.yml may say is made plain (the name) or left out (the image).
struct Defaults {
  std::string name;
  std::string image;
};

// The service that slipway.yml (YAML 1.2, UTF-8, at most 64 KiB) describes. `file` is its name in
// messages. Errors: usage; one line for each fault, with file, line and column, the key, and the
// nearest right one.
Result<Service> parse_service(std::string_view text, const std::string& file,
                              const Defaults& defaults = {});

// The same, from a file. Errors: not_found, io, usage.
Result<Service> read_service(const std::filesystem::path& file, const Defaults& defaults = {});

// slipway.yml with every key spelled out, as JSON on one line: what travels with an image as its
// label io.slipway.service. parse_service() reads it back, because JSON is YAML.
std::string to_json_text(const Service& service);

}  // namespace slipway::service
