#include "deploy/model/record.hpp"

#include "base/sha256.hpp"

#include <optional>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

constexpr std::size_t checksum_digits = 16;
// A write that was cut short leaves one record at most, and none is longer than this.
constexpr std::size_t longest_record = std::size_t{64} << 10;

std::optional<Record> decode_line(std::string_view line) {
  if (line.size() < checksum_digits + 3 || line[checksum_digits] != ' ') return std::nullopt;
  const std::string_view body = line.substr(checksum_digits + 1);
  if (sha256_hex(body).substr(0, checksum_digits) != line.substr(0, checksum_digits)) {
    return std::nullopt;
  }
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("seq") || !json["seq"].is_number_unsigned()) {
    return std::nullopt;
  }
  Record record;
  record.sequence = json["seq"].get<std::uint64_t>();
  record.type = json.value("type", "");
  record.transaction = json.value("txn", "");
  record.time = json.value("time", "");
  record.data = json.value("data", nlohmann::json::object());
  return record;
}

}  // namespace

std::string encode(const Record& record) {
  const nlohmann::json json = {{"seq", record.sequence},
                               {"type", record.type},
                               {"txn", record.transaction},
                               {"time", record.time},
                               {"data", record.data}};
  const std::string body = json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return fmt::format("{} {}\n", sha256_hex(body).substr(0, checksum_digits), body);
}

Result<Records> decode(std::string_view bytes) {
  Records decoded;
  std::size_t position = 0;
  bool broken = false;
  while (position < bytes.size()) {
    const std::size_t newline = bytes.find('\n', position);
    const bool whole = newline != std::string_view::npos;
    const std::size_t end = whole ? newline : bytes.size();
    auto record =
        whole ? decode_line(bytes.substr(position, end - position)) : std::optional<Record>{};
    position = whole ? end + 1 : end;
    if (!record) {
      broken = true;
      continue;
    }
    const std::uint64_t expected =
        decoded.records.empty() ? 1 : decoded.records.back().sequence + 1;
    if (broken || record->sequence != expected) {
      return Error{ErrorKind::corrupt,
                   fmt::format("the journal is damaged before its record {}", record->sequence),
                   "it will be set aside and rebuilt from the containers' labels"};
    }
    decoded.records.push_back(std::move(*record));
    decoded.valid_bytes = position;
  }
  if (bytes.size() - decoded.valid_bytes > longest_record) {
    return Error{ErrorKind::corrupt,
                 fmt::format("the journal is damaged after its record {}", decoded.records.size()),
                 "it will be set aside and rebuilt from the containers' labels"};
  }
  return decoded;
}

}  // namespace slipway::deploy
