#include "deploy/kubernetes/object_journal.hpp"

#include "base/json.hpp"
#include "deploy/model/ledger.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

constexpr const char* key = "journal";

std::string object_with(const std::string& name, const std::string& text,
                        const std::string& version) {
  Json object{{"apiVersion", "v1"},
              {"kind", "ConfigMap"},
              {"metadata", {{"name", name}, {"labels", {{label_manager, manager}}}}},
              {"data", {{key, text}}}};
  if (!version.empty()) object["metadata"]["resourceVersion"] = version;
  return to_text(object);
}

}  // namespace

Result<std::unique_ptr<Journal>> ObjectJournal::open(ClusterApi& api) {
  auto names = api.names();
  if (!names) return names.error();
  auto answer = api.call("GET", names->path("configmaps", names->journal()));
  if (!answer) return answer.error();
  std::unique_ptr<ObjectJournal> journal(new ObjectJournal(api, std::move(*names)));
  if (answer->status == 404) return std::unique_ptr<Journal>(std::move(journal));
  if (!answer->ok()) {
    return Error{ErrorKind::unreachable, "cannot read the journal: " + answer->message(), {}};
  }
  journal->text_ = answer->json.at({"data", key}).text();
  journal->version_ = answer->json.at({"metadata", "resourceVersion"}).text();
  auto decoded = decode(journal->text_);
  const std::string name = "ConfigMap " + journal->names_.journal();
  if (!decoded) {
    Error error = decoded.error();
    error.what = fmt::format("{}: {}", name, error.what);
    return error;
  }
  // An object is written as a whole, so nothing tears it.
  if (decoded->valid_bytes != journal->text_.size()) {
    return Error{ErrorKind::corrupt, name + ": its end is damaged", {}};
  }
  journal->records_ = std::move(decoded->records);
  return std::unique_ptr<Journal>(std::move(journal));
}

Result<void> ObjectJournal::write(const std::string& text) {
  const std::string body = object_with(names_.journal(), text, version_);
  const std::string place = names_.path("configmaps", names_.journal());
  auto written = version_.empty()
                     ? api_.demand("begin the journal", "POST", names_.path("configmaps"), body)
                     : api_.demand("write the journal", "PUT", place, body);
  if (!written && written.error().kind == ErrorKind::busy) {
    // Ours, if only the answer was lost.
    auto there = api_.demand("read the journal", "GET", place);
    if (there && there->at({"data", key}).text() == text) {
      written = std::move(there);
    } else {
      return Error{ErrorKind::busy, "somebody else wrote the journal meanwhile",
                   "'rollback --status' says who is at work"};
    }
  }
  if (!written) return written.error();
  version_ = written->at({"metadata", "resourceVersion"}).text();
  text_ = text;
  return {};
}

Result<void> ObjectJournal::append(std::string transaction, std::string time, Entry entry) {
  std::vector<Record> shorter;
  std::string before = text_;
  if (text_.size() > most_bytes) {
    if (auto kept = compact(records_, kept_records)) {
      shorter = std::move(*kept);
      before.clear();
      for (const Record& record : shorter) before += encode(record);
    }
  }
  const std::vector<Record>& earlier = shorter.empty() ? records_ : shorter;
  Record record{earlier.empty() ? 1 : earlier.back().sequence + 1, std::move(transaction),
                std::move(time), std::move(entry)};
  if (auto written = write(before + encode(record)); !written) return written;
  if (!shorter.empty()) records_ = std::move(shorter);
  records_.push_back(std::move(record));
  return {};
}

Result<void> ObjectJournal::set_aside(ClusterApi& api) {
  const auto names = api.names();
  if (!names) return names.error();
  const std::string place = names->path("configmaps", names->journal());
  auto there = api.call("GET", place);
  if (!there) return there.error();
  if (there->status == 404) return {};
  const std::string aside = fmt::format("{}-damaged-{}", names->journal(),
                                        there->json.at({"metadata", "resourceVersion"}).text());
  const std::string text = there->json.at({"data", key}).text();
  auto kept = api.demand("set the damaged journal aside", "POST", names->path("configmaps"),
                         object_with(aside, text, ""));
  if (!kept && kept.error().kind != ErrorKind::busy) return kept.error();
  auto gone = api.demand("remove the damaged journal", "DELETE", place);
  if (!gone && gone.error().kind != ErrorKind::not_found) return gone.error();
  return {};
}

}  // namespace slipway::deploy
