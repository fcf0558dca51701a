#pragma once

#include "base/error.hpp"
#include "service/service.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace slipway::bench {

struct HttpResponse;

// Whether an answer counts as served, by the rule that was written. Made once, asked by every
// thread for every answer; what was not asked for costs nothing.
class ServedCheck {
 public:
  // A regular expression is searched for in so much of a body: it is matched by recursion, whose
  // depth grows with the text. It may itself be no longer than `longest_expression`.
  static constexpr std::size_t searched_bytes = 4096;
  static constexpr std::size_t longest_expression = 1000;

  // Any 2xx.
  ServedCheck();
  // Errors (`usage`): a status that is none, no JSON pointer, no regular expression.
  static Result<ServedCheck> make(const service::ServedRule& rule);

  // Empty: it is served. Else what it is counted under, such as "HTTP 503" or "HTTP 200, wrong
  // body"; such a text lives as long as the program.
  std::string_view refusal(const HttpResponse& response) const;

 private:
  struct Rule;
  explicit ServedCheck(std::shared_ptr<const Rule> rule);
  std::shared_ptr<const Rule> rule_;
};

}  // namespace slipway::bench
