#include "deploy/model/record.hpp"

#include "base/foreign_text.hpp"
#include "base/json.hpp"
#include "base/sha256.hpp"
#include "deploy/model/plan_json.hpp"

#include <optional>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

constexpr std::size_t checksum_digits = 16;
// A write that was cut short leaves one record at most, and none is longer than this.
constexpr std::size_t longest_record = std::size_t{64} << 10;

// A record's `type` and `data`.
struct Content {
  std::string_view type;
  Json data;
};

Json list_of(const std::vector<Release>& releases) {
  Json list = Json::array();
  for (const Release& release : releases) list.push_back(to_json(release));
  return list;
}

Content content(const Begun& begun) {
  return {"begin", to_json(begun.plan)};
}
Content content(const Intended& intended) {
  return {"intent", {{"step", to_string(intended.step)}, {"verdict", to_string(intended.verdict)}}};
}
Content content(const Performed& performed) {
  Json data{{"step", to_string(performed.step)},
            {"event", to_string(performed.event)},
            {"seconds", performed.seconds},
            {"detail", performed.detail}};
  if (!performed.said.empty()) data["said"] = performed.said;
  return {"done", std::move(data)};
}
Content content(const Resumed& resumed) {
  return {"resume", {{"step", to_string(resumed.step)}, {"verdict", to_string(resumed.verdict)}}};
}
Content content(const Ended& ended) {
  return {"end",
          {{"step", to_string(Step::end)},
           {"exitCode", ended.exit_code},
           {"verdict", to_string(ended.verdict)},
           {"running", ended.running},
           {"message", ended.message}}};
}
Content content(const Brief& brief) {
  return {"refused",
          {{"operation", brief.operation},
           {"target", brief.target},
           {"actor", brief.actor},
           {"reason", brief.reason},
           {"exitCode", brief.exit_code},
           {"message", brief.message}}};
}
Content content(const Rebuilt& rebuilt) {
  return {"rebuilt", {{"why", rebuilt.why}, {"releases", list_of(rebuilt.releases)}}};
}
Content content(const Compacted& compacted) {
  Json data{{"operations", compacted.operations},
            {"proven", list_of(compacted.proven)},
            {"known", list_of(compacted.known)},
            {"retracted", list_of(compacted.retracted)}};
  // Tools that do not know it pass over it.
  for (const auto& [what, count] : compacted.outcomes) {
    data["outcomes"].push_back(
        {{"operation", what.first}, {"exitCode", what.second}, {"count", count}});
  }
  return {"compacted", std::move(data)};
}
Content content(const Noted& noted) {
  return {
      "note",
      {{"what", noted.what}, {"by", noted.by}, {"reason", noted.reason}, {"holder", noted.holder}}};
}

// A record that these tools cannot have written.
struct Foreign {
  std::string why;
};

template <typename T>
T known(const std::optional<T>& parsed, const char* field, const Json& data) {
  if (parsed) return *parsed;
  throw Foreign{fmt::format("{} '{}'", field, foreign_line(data.value(field, ""), 40))};
}

Step step_of(const Json& data) {
  return known(parse_step(data.value("step", "")), "step", data);
}

Verdict verdict_of(const Json& data) {
  return known(parse_verdict(data.value("verdict", "none")), "verdict", data);
}

std::vector<Release> releases_in(const Json& data, const char* field) {
  std::vector<Release> releases;
  for (const Json& release : data.value(field, Json::array())) {
    releases.push_back(release_from_json(release));
  }
  return releases;
}

Outcomes outcomes_in(const Json& data) {
  Outcomes outcomes;
  for (const Json& one : data.value("outcomes", Json::array())) {
    outcomes[{one.value("operation", ""), one.value("exitCode", 0)}] =
        one.value("count", std::uint64_t{0});
  }
  return outcomes;
}

// Throws Foreign, or what the JSON library does where a field is of another kind.
Entry entry_of(const std::string& type, const Json& data) {
  const auto text = [&](const char* field) { return data.value(field, ""); };
  if (type == "begin") return Begun{plan_from_json(data)};
  if (type == "intent") return Intended{step_of(data), verdict_of(data)};
  if (type == "done") {
    return Performed{step_of(data), known(parse_event(text("event")), "event", data),
                     data.value("seconds", 0.0), text("detail"), text("said")};
  }
  if (type == "resume") return Resumed{step_of(data), verdict_of(data)};
  if (type == "end") {
    return Ended{data.value("exitCode", 0), verdict_of(data), text("running"), text("message")};
  }
  if (type == "refused") {
    return Brief{text("operation"),         text("target"), text("actor"), text("reason"),
                 data.value("exitCode", 0), text("message")};
  }
  if (type == "rebuilt") return Rebuilt{text("why"), releases_in(data, "releases")};
  if (type == "note") return Noted{text("what"), text("by"), text("reason"), text("holder")};
  if (type == "compacted") {
    return Compacted{data.value("operations", std::uint64_t{0}), releases_in(data, "proven"),
                     releases_in(data, "known"), releases_in(data, "retracted"), outcomes_in(data)};
  }
  throw Foreign{fmt::format("type '{}'", foreign_line(type, 40))};
}

// Nothing: the line is damaged. An error: it is whole and of another version of these tools.
Result<std::optional<Record>> record_of(const Json& document) {
  const auto sequence = document["seq"].get<std::uint64_t>();
  std::string why = "a field of another kind";
  try {
    return std::optional(
        Record{sequence, document.value("txn", ""), document.value("time", ""),
               entry_of(document.value("type", ""), document.value("data", Json::object()))});
  } catch (const Foreign& foreign) {
    why = foreign.why;
  } catch (const Json::exception&) {
  }
  return Error{ErrorKind::protocol,
               fmt::format("record {} of the journal has {}, which this version of the tools does "
                           "not know: a newer one wrote it",
                           sequence, why),
               "use that version; nothing was touched"};
}

Result<std::optional<Record>> decode_line(std::string_view line) {
  const std::optional<Record> damaged;
  if (line.size() < checksum_digits + 3 || line[checksum_digits] != ' ') return damaged;
  const std::string_view body = line.substr(checksum_digits + 1);
  if (sha256_hex(body).substr(0, checksum_digits) != line.substr(0, checksum_digits)) {
    return damaged;
  }
  const auto document = parse_json(body);
  if (!document.is_object() || !document.contains("seq") || !document["seq"].is_number_unsigned()) {
    return damaged;
  }
  return record_of(document);
}

}  // namespace

std::string encode(const Record& record) {
  const Content said = std::visit([](const auto& entry) { return content(entry); }, record.entry);
  const Json document = {{"seq", record.sequence},
                         {"type", said.type},
                         {"txn", record.transaction},
                         {"time", record.time},
                         {"data", said.data}};
  // ASCII alone, whatever a detail holds.
  const std::string body = document.dump(-1, ' ', true, Json::error_handler_t::replace);
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
    auto read = whole ? decode_line(bytes.substr(position, end - position))
                      : Result<std::optional<Record>>(std::optional<Record>{});
    if (!read) return read.error();
    std::optional<Record>& record = *read;
    position = whole ? end + 1 : end;
    if (!record) {
      broken = true;
      continue;
    }
    const bool goes_on =
        decoded.records.empty() && std::holds_alternative<Compacted>(record->entry);
    const std::uint64_t expected = goes_on                   ? record->sequence
                                   : decoded.records.empty() ? 1
                                                             : decoded.records.back().sequence + 1;
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
