#include "net/prometheus_text.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

namespace slipway::net {
namespace {

void skip_blanks(std::string_view& rest) {
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
}

bool take(std::string_view& rest, char wanted) {
  if (rest.empty() || rest.front() != wanted) return false;
  rest.remove_prefix(1);
  return true;
}

// A metric's or a label's name; empty when none stands there.
std::string_view take_name(std::string_view& rest) {
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':';
  };
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_part);
  const std::string_view name = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(name.size());
  return name;
}

// A label's value with its quotes and three escapes.
std::optional<std::string> take_quoted(std::string_view& rest) {
  if (!take(rest, '"')) return std::nullopt;
  std::string value;
  while (!rest.empty() && rest.front() != '"') {
    char c = rest.front();
    rest.remove_prefix(1);
    if (c == '\\') {
      if (rest.empty()) return std::nullopt;
      c = rest.front() == 'n' ? '\n' : rest.front();
      rest.remove_prefix(1);
    }
    value += c;
  }
  if (!take(rest, '"')) return std::nullopt;
  return value;
}

bool take_labels(std::string_view& rest, MetricSample& sample) {
  if (!take(rest, '{')) return true;
  skip_blanks(rest);
  while (!take(rest, '}')) {
    const std::string_view name = take_name(rest);
    skip_blanks(rest);
    if (name.empty() || !take(rest, '=')) return false;
    skip_blanks(rest);
    auto value = take_quoted(rest);
    if (!value) return false;
    sample.labels[std::string(name)] = std::move(*value);
    skip_blanks(rest);
    take(rest, ',');
    skip_blanks(rest);
  }
  return true;
}

std::optional<MetricSample> parse_sample(std::string_view rest) {
  MetricSample sample;
  sample.name = take_name(rest);
  skip_blanks(rest);
  if (sample.name.empty() || !take_labels(rest, sample)) return std::nullopt;
  skip_blanks(rest);
  take(rest, '+');
  const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), sample.value);
  const bool whole =
      end == rest.data() + rest.size() || *end == ' ' || *end == '\t' || *end == '\r';
  if (failed != std::errc{} || !whole) return std::nullopt;
  return sample;
}

}  // namespace

std::vector<MetricSample> parse_metrics(std::string_view text) {
  std::vector<MetricSample> samples;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (auto sample = parse_sample(text.substr(0, end))) samples.push_back(std::move(*sample));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return samples;
}

std::optional<double> sum_of(const std::vector<MetricSample>& samples, std::string_view name,
                             const std::map<std::string, std::string>& labels) {
  std::optional<double> sum;
  for (const MetricSample& sample : samples) {
    const bool fits =
        sample.name == name && std::all_of(labels.begin(), labels.end(), [&](const auto& wanted) {
          const auto found = sample.labels.find(wanted.first);
          return found != sample.labels.end() && found->second == wanted.second;
        });
    if (fits) sum = sum.value_or(0) + sample.value;
  }
  return sum;
}

std::optional<MetricSelector> parse_selector(std::string_view text) {
  MetricSample sample;
  sample.name = take_name(text);
  if (sample.name.empty() || !take_labels(text, sample) || !text.empty()) return std::nullopt;
  return MetricSelector{std::move(sample.name), std::move(sample.labels)};
}

std::string escaped_label(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c == '\n' ? "\\n" : std::string(1, c);
  }
  return text;
}

std::string family_head(std::string_view name, std::string_view type, std::string_view help) {
  return fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

std::string to_string(const MetricSelector& selector) {
  std::string labels;
  for (const auto& [name, value] : selector.labels) {
    labels += fmt::format("{}{}=\"{}\"", labels.empty() ? "" : ",", name, escaped_label(value));
  }
  return labels.empty() ? selector.name : fmt::format("{}{{{}}}", selector.name, labels);
}

}  // namespace slipway::net
