#pragma once

#include "service/field.hpp"
#include "service/service.hpp"

namespace slipway::service {

// slipway.yml, key for key: reading it fills `service`, writing it tells what is in it.
Field fields_of(Service& service);

}  // namespace slipway::service
