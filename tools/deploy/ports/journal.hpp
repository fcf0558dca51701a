#pragma once

#include "base/error.hpp"
#include "deploy/model/record.hpp"

#include <string>
#include <vector>

namespace slipway::deploy {

// What was intended and done, append-only, in the format of encode() and decode().
class Journal {
 public:
  virtual ~Journal() = default;

  virtual const std::vector<Record>& records() const = 0;

  // Returns when the record cannot be lost any more. Its sequence number is given here. Errors: io,
  // unreachable.
  virtual Result<void> append(std::string transaction, std::string time, Entry entry) = 0;
};

}  // namespace slipway::deploy
