#include "ledger/progress.hpp"

namespace slipway::ledger {

std::string_view to_string(Durability durability) {
  switch (durability) {
    case Durability::none:
      return "none";
    case Durability::sync:
      return "sync";
    case Durability::batch:
      break;
  }
  return "batch";
}

}  // namespace slipway::ledger
