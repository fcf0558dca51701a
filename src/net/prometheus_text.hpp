#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Prometheus' text exposition format 0.0.4, read and written.
namespace slipway::net {

struct MetricSample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

// The samples of a page, in order. A line that is no sample is passed over, so that one bad line
// does not hide the others; the time at a sample's end is left out.
std::vector<MetricSample> parse_metrics(std::string_view text);

// The sum over the samples of that name which have all of these labels, among others; nothing when
// there is none.
std::optional<double> sum_of(const std::vector<MetricSample>& samples, std::string_view name,
                             const std::map<std::string, std::string>& labels = {});

// Which samples are meant, as Prometheus writes it: name{label="value"}. Labels that are not named
// may have any value.
struct MetricSelector {
  std::string name;
  std::map<std::string, std::string> labels;

  bool operator==(const MetricSelector&) const = default;
};

// Nothing where the text is no selector; of its matchers only `=` is taken.
std::optional<MetricSelector> parse_selector(std::string_view text);
std::string to_string(const MetricSelector& selector);

// A label's value without its quotes, escaped. It must be UTF-8.
std::string escaped_label(std::string_view value);
// What stands before a family's samples; `type`: counter, gauge or histogram; `help`: one line.
std::string family_head(std::string_view name, std::string_view type, std::string_view help);

}  // namespace slipway::net
