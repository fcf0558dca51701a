#include "service/read_service.hpp"

#include "base/durable_file.hpp"
#include "service/document.hpp"
#include "service/fields.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/core.h>

namespace slipway::service {
namespace {

// "/gate/served/status/0" as "gate.served.status[0]".
std::string dotted(const std::string& pointer) {
  std::string path;
  for (std::size_t at = 0; at < pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', at + 1), pointer.size());
    const std::string key = pointer.substr(at + 1, end - at - 1);
    at = end;
    const bool is_index = key.find_first_not_of("0123456789") == std::string::npos;
    path += is_index ? fmt::format("[{}]", key) : (path.empty() ? "" : ".") + key;
  }
  return path;
}

// A complaint with its place in front: where the key stands, or the value.
std::pair<std::pair<int, int>, std::string> line_of(const Document& document,
                                                    const std::string& file,
                                                    const Complaint& complaint) {
  std::string pointer = complaint.pointer;
  const Mark mark = complaint.of_key ? document.key_at(pointer) : document.value_at(pointer);
  if (complaint.of_key) pointer.resize(pointer.rfind('/'));
  const std::string path = dotted(pointer);
  return {{mark.line, mark.column},
          at(file, mark, path.empty() ? complaint.what : path + ": " + complaint.what)};
}

Error refusal(const Document& document, const std::string& file, const Complaints& complaints) {
  std::vector<std::pair<std::pair<int, int>, std::string>> lines;
  for (const Complaint& complaint : complaints) {
    lines.push_back(line_of(document, file, complaint));
  }
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const auto& [place, line] : lines) all += (all.empty() ? "" : "\n") + line;
  return {ErrorKind::usage, all, {}};
}

}  // namespace

std::string plain_name(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!plain) c = '-';
  }
  const auto begin = name.find_first_not_of('-');
  if (begin == std::string::npos) return "service";
  name = name.substr(begin, 42);
  return name.substr(0, name.find_last_not_of('-') + 1);
}

Result<Service> parse_service(std::string_view text, const std::string& file,
                              const Defaults& defaults) {
  auto document = parse_yaml(text, file);
  if (!document) return document.error();
  Service service;
  // What is written of it must be read again.
  if (!defaults.name.empty()) service.name = plain_name(defaults.name);
  Service with_image;
  if (fields_of(with_image).read(Json{{"image", defaults.image}}).empty()) {
    service.image = defaults.image;
  }
  service.ready.clear();
  Complaints complaints = fields_of(service).read(document->value);
  if (!complaints.empty()) return refusal(*document, file, complaints);
  if (service.ready.empty()) service.ready = service.health;
  return service;
}

std::string to_json_text(const Service& service) {
  Service copy = service;
  return to_text(fields_of(copy).write());
}

Result<Service> read_service(const std::filesystem::path& file, const Defaults& defaults) {
  auto text = read_file(file, std::size_t{64} << 10);
  if (!text) {
    Error error = text.error();
    error.remedy = "write slipway.yml, or let 'slipway init' do it";
    return error;
  }
  return parse_service(*text, file.string(), defaults);
}

}  // namespace slipway::service
