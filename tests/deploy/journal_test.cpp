#include "base/durable_file.hpp"
#include "base/json.hpp"
#include "base/sha256.hpp"
#include "deploy/cli/status_text.hpp"
#include "deploy/model/ledger.hpp"
#include "deploy/state/journal_file.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <fstream>
#include <sys/stat.h>

using namespace slipway;
using namespace slipway::deploy;

namespace {

std::string bytes_of(const std::filesystem::path& path) {
  return *read_file(path);
}

void put(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// A journal with a few records of different lengths.
std::string sample(const std::filesystem::path& path) {
  auto journal = JournalFile::open(path);
  const std::string detail = "line\nbreak, \"quotes\" and \xff";
  int second = 0;
  for (const Entry& entry :
       {Entry(Begun{}), Entry(Intended{Step::prove, Verdict::none}),
        Entry(Performed{Step::prove, Event::unproven, 0.25, detail}), Entry(Ended{4})}) {
    const std::string time = "2026-01-01T00:00:0" + std::to_string(second++) + "Z";
    REQUIRE(journal->append("t1", time, entry).has_value());
  }
  return bytes_of(path);
}

}  // namespace

TEST_CASE("records come back as they were written, in a file that only the owner reads",
          "[journal]") {
  test::TemporaryDirectory directory;
  const auto path = directory.path() / "journal";
  sample(path);
  const auto journal = JournalFile::open(path);
  REQUIRE(journal->records().size() == 4);
  CHECK(std::get<Intended>(journal->records()[1].entry).step == Step::prove);
  CHECK(std::get<Performed>(journal->records()[2].entry).event == Event::unproven);
  CHECK(std::get<Ended>(journal->records()[3].entry).exit_code == 4);
  CHECK(journal->records()[3].sequence == 4);
  struct stat status{};
  ::stat(path.c_str(), &status);
  CHECK((status.st_mode & 07777) == 0600);
}

TEST_CASE("a journal cut at any byte gives the records that are whole and takes new ones",
          "[journal]") {
  test::TemporaryDirectory directory;
  const auto path = directory.path() / "journal";
  const std::string whole = sample(path);
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    put(path, whole.substr(0, length));
    auto journal = JournalFile::open(path);
    REQUIRE(journal.has_value());
    const auto lines = static_cast<std::size_t>(
        std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length), '\n'));
    REQUIRE(journal->records().size() == lines);
    // Reading alone changes nothing on the disk.
    REQUIRE(bytes_of(path).size() == length);
    REQUIRE(journal->append("", "2026-01-01T00:00:04Z", Noted{}).has_value());
    const auto again = JournalFile::open(path);
    REQUIRE(again->records().size() == lines + 1);
    REQUIRE_FALSE(again->had_torn_tail());
  }
}

TEST_CASE("a flipped bit anywhere is noticed: the record is dropped or the journal is refused",
          "[journal]") {
  test::TemporaryDirectory directory;
  const auto path = directory.path() / "journal";
  const std::string whole = sample(path);
  const Result<Records> original = decode(whole);
  int refused = 0;
  for (std::size_t position = 0; position < whole.size(); ++position) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[position] = static_cast<char>(damaged[position] ^ (1 << bit));
      const auto decoded = decode(damaged);
      if (!decoded) {
        REQUIRE(decoded.error().kind == ErrorKind::corrupt);
        ++refused;
        continue;
      }
      // What is accepted is a shorter journal, never a different one.
      REQUIRE(decoded->records.size() < original->records.size());
      for (std::size_t i = 0; i < decoded->records.size(); ++i) {
        REQUIRE(encode(decoded->records[i]) == encode(original->records[i]));
      }
    }
  }
  CHECK(refused > 0);
}

// Lines as they lie on hosts: a change of these bytes is a change of the format.
TEST_CASE("the format of the journal is what earlier versions wrote", "[journal]") {
  const auto json_of = [](Entry entry) {
    const std::string line = encode({7, "t1", "2026-01-01T00:00:00Z", std::move(entry)});
    CHECK(line.substr(0, 16) == sha256_hex(line.substr(17, line.size() - 18)).substr(0, 16));
    return line.substr(17);
  };
  CHECK(
      json_of(Performed{Step::flip_back, Event::uncertain, 0.5, "\xc3\xa9"}) ==
      R"({"data":{"detail":"\u00e9","event":"uncertain","seconds":0.5,"step":"flip_back"},"seq":7,)"
      R"("time":"2026-01-01T00:00:00Z","txn":"t1","type":"done"})"
      "\n");
  CHECK(json_of(Ended{5, Verdict::helpless, "sha256:1", "m"}) ==
        R"({"data":{"exitCode":5,"message":"m","running":"sha256:1","step":"end",)"
        R"("verdict":"helpless"},"seq":7,"time":"2026-01-01T00:00:00Z","txn":"t1","type":"end"})"
        "\n");
}

TEST_CASE("a record that a newer version wrote is refused by name, and is no damage", "[journal]") {
  for (
      const std::string body :
      {R"({"data":{"a":1},"seq":1,"time":"","txn":"t1","type":"of-tomorrow"})",
       R"({"data":{"step":"of-tomorrow","verdict":"none"},"seq":1,"time":"","txn":"t1","type":"intent"})",
       R"({"data":{"step":"hold","event":"of-tomorrow"},"seq":1,"time":"","txn":"t1","type":"done"})",
       R"({"data":{"exitCode":0,"message":null,"verdict":"none"},"seq":1,"time":"","txn":"t1","type":"end"})",
       R"({"data":{"target":null},"seq":1,"time":"","txn":"t1","type":"begin"})",
       R"({"data":null,"seq":1,"time":null,"txn":"t1","type":"note"})"}) {
    const auto decoded = decode(sha256_hex(body).substr(0, 16) + " " + body + "\n");
    INFO(body);
    REQUIRE_FALSE(decoded.has_value());
    CHECK(decoded.error().kind == ErrorKind::protocol);
    CHECK_THAT(decoded.error().what, ContainsSubstring("record 1 of the journal has"));
  }
}

TEST_CASE("a record missing from the middle is noticed", "[journal]") {
  test::TemporaryDirectory directory;
  const std::string whole = sample(directory.path() / "journal");
  const std::size_t first = whole.find('\n') + 1;
  const std::size_t second = whole.find('\n', first) + 1;
  CHECK_FALSE(decode(whole.substr(0, first) + whole.substr(second)).has_value());
  CHECK_FALSE(decode(whole + whole).has_value());
}

namespace {

Record at(std::uint64_t sequence, std::string txn, Entry entry) {
  return {sequence, std::move(txn), "2026-01-01T00:00:00Z", std::move(entry)};
}

Release version(const std::string& tag, char digit) {
  return {"repo",        tag,   "sha256:" + std::string(64, digit), "id", "rev-" + tag,
          tag.substr(1), "snap"};
}

// Records of one operation that ended with this status.
void add(std::vector<Record>& records, bool rollback, const Release& to,
         const std::optional<Release>& from, int exit_code) {
  Plan plan;
  plan.rollback = rollback;
  plan.target = to;
  plan.old = from;
  const std::string txn = "t" + std::to_string(records.size() + 1);
  records.push_back(at(records.size() + 1, txn, Begun{plan}));
  records.push_back(at(records.size() + 1, txn, Ended{exit_code}));
}

}  // namespace

TEST_CASE("a rollback goes to the last proven version and never back into the accident",
          "[ledger]") {
  const Release v1 = version("v1", '1');
  const Release v2 = version("v2", '2');
  const Release v3 = version("v3", '3');
  std::vector<Record> records;
  add(records, false, v1, std::nullopt, 0);
  CHECK_FALSE(Ledger(records).rollback_target(v1).has_value());
  add(records, false, v2, v1, 0);
  add(records, false, v3, v2, 4);  // v3 was never proven
  CHECK(Ledger(records).rollback_target(v2)->tag == "v1");
  add(records, true, v1, v2, 0);
  CHECK_FALSE(Ledger(records).rollback_target(v1).has_value());
  CHECK(Ledger(records).find("v2")->digest == v2.digest);
  // But a version that lives is better than one that is dead, unless it was never proven.
  CHECK(Ledger(records).rollback_target(v1, v2).value_or(v1).tag == "v2");
  CHECK(Ledger(records).is_retracted(v2));
  CHECK_FALSE(Ledger(records).rollback_target(v1, v3).has_value());
  add(records, false, v2, v1, 0);
  CHECK(Ledger(records).rollback_target(v2)->tag == "v1");
}

TEST_CASE("a version is found by tag, version, digest or twelve of its digits", "[ledger]") {
  const Release v1 = version("v1", '1');
  std::vector<Record> records;
  add(records, false, v1, std::nullopt, 0);
  const Ledger ledger(records);
  for (const std::string& name :
       {std::string("v1"), std::string("1"), v1.digest, std::string("111111111111"),
        std::string("sha256:111111111111"), std::string("repo:v1"), "repo@" + v1.digest}) {
    INFO(name);
    CHECK(ledger.find(name).has_value());
  }
  CHECK_FALSE(ledger.find("11111111111").has_value());
  CHECK_FALSE(ledger.find("v2").has_value());
}

namespace {

// A journal of so many operations, as one that nobody compacted.
std::string journal_of(int operations, std::vector<Record>& records) {
  std::string text;
  for (int i = 0; i < operations; ++i) {
    const std::size_t before = records.size();
    const std::string tag = "v" + std::to_string(i);
    Release release = version(tag, 'a');
    release.snapshot = tag;  // each is a version of its own
    add(records, false, release, std::nullopt, i % 3 == 2 ? 4 : 0);
    for (std::size_t j = before; j < records.size(); ++j) text += encode(records[j]);
  }
  return text;
}

}  // namespace

TEST_CASE("after 100000 operations a command reads no more than after a thousand", "[journal]") {
  test::TemporaryDirectory directory;
  const auto path = directory.path() / "journal";
  std::vector<Record> records;
  put(path, journal_of(100'000, records));
  const Ledger whole(records);
  {
    auto journal = JournalFile::open(path);
    REQUIRE(journal.has_value());
    REQUIRE(journal->append("", "2026-01-01T00:00:04Z", Noted{}).has_value());
  }
  const auto after = JournalFile::open(path);
  REQUIRE(after.has_value());
  CHECK(after->records().size() <= JournalFile::kept_records + 2);
  CHECK(bytes_of(path).size() < (std::size_t{1} << 20));
  CHECK(std::filesystem::file_size(directory.path() / "journal.old") > (std::size_t{20} << 20));
  const Ledger kept(after->records());
  CHECK(kept.forgotten() + kept.history().size() == 100'000);
  REQUIRE(kept.proven().size() == whole.proven().size());
  for (std::size_t i = 0; i < kept.proven().size(); ++i)
    CHECK(kept.proven()[i].same_as(whole.proven()[i]));
  CHECK(kept.rollback_target(whole.proven()[0])->same_as(whole.proven()[1]));
  CHECK(after->records().back().sequence == records.back().sequence + 1);
}

TEST_CASE("a journal never grows over its limit by more than an operation", "[journal]") {
  test::TemporaryDirectory directory;
  const auto path = directory.path() / "journal";
  std::size_t most = 0;
  for (int process = 0; process < 150; ++process) {
    auto journal = JournalFile::open(path);
    REQUIRE(journal.has_value());
    most = std::max(most, journal->records().size());
    const std::string txn = "t" + std::to_string(process);
    Plan plan;
    plan.target = version("v1", '1');
    REQUIRE(journal->append(txn, "", Begun{plan}).has_value());
    for (int step = 0; step < 28; ++step) REQUIRE(journal->append(txn, "", Intended{}).has_value());
    REQUIRE(journal->append(txn, "", Ended{}).has_value());
  }
  CHECK(most > JournalFile::most_records - 30);
  CHECK(most <= JournalFile::most_records + 30);
}

TEST_CASE("a journal is not compacted into an operation that is open", "[journal]") {
  std::vector<Record> records;
  journal_of(10, records);
  Plan plan;
  plan.target = version("v9", '9');
  records.push_back(at(records.size() + 1, "t-open", Begun{plan}));
  for (int i = 0; i < 40; ++i) records.push_back(at(records.size() + 1, "t-open", Intended{}));
  const auto kept = compact(records, 5);
  REQUIRE(kept.has_value());
  REQUIRE(Ledger(*kept).open().has_value());
  CHECK(Ledger(*kept).open()->plan.target.tag == "v9");
  CHECK_FALSE(compact(records, records.size()).has_value());
  // A refusal in the middle of it is no place to cut.
  records.push_back(at(records.size() + 1, "", Brief{}));
  records.push_back(at(records.size() + 1, "t-open", Intended{}));
  CHECK_FALSE(compact(records, 1).has_value());
}

TEST_CASE("what came of an operation, and why, is told an hour later", "[ledger]") {
  std::vector<Record> records;
  Plan plan;
  plan.target = version("v2", '2');
  plan.actor = "ci";
  records.push_back(at(1, "t1", Begun{plan}));
  records.push_back(at(2, "t1", Performed{Step::start, Event::done, 1.5, ""}));
  records.push_back(at(3, "t1",
                       Performed{Step::prove, Event::unproven, 2.5, "it ended",
                                 "I am ill, and this is what I have to say of it\nI am gone"}));
  CHECK(Ledger(records).operation("t1")->ended == false);
  records.push_back(at(4, "t1", Ended{4, Verdict::unproven, "sha256:1", "v2: it ended"}));
  const auto told = Ledger(records).operation("t1");
  REQUIRE(told.has_value());
  CHECK(told->message == "v2: it ended");
  CHECK(told->seconds() == 4.0);
  CHECK_FALSE(Ledger(records).operation("t2").has_value());
  const std::string lines = history_lines({*told}, 3);
  CHECK_THAT(lines, ContainsSubstring("3 earlier") && ContainsSubstring("4.0 s") &&
                        ContainsSubstring("rolled-back: v2: it ended"));
  CHECK_THAT(
      operation_lines(*told, true),
      ContainsSubstring("    | I am ill, and this is what I have to say of it\n    | I am gone\n"));
  CHECK(operation_lines(*told, false).find("I am ill") == std::string::npos);
  CHECK(operation_json(*told, false).find("I am ill") == std::string::npos);
  CHECK(parse_json(operation_json(*told, true))["steps"][1]["lastWords"] ==
        "I am ill, and this is what I have to say of it\nI am gone");
  CHECK(parse_json(history_json({*told}))[0]["seconds"] == 4.0);
}

TEST_CASE("an operation that was cut short says that it was gone on with", "[ledger]") {
  std::vector<Record> records;
  Plan plan;
  plan.target = version("v2", '2');
  records.push_back(at(1, "t1", Begun{plan}));
  const auto told = [&] {
    return std::vector{Ledger(records).operation("t1").value_or(HistoryEntry{})};
  };
  CHECK(history_lines(told(), 0).find("cut short") == std::string::npos);
  records.push_back(at(2, "t1", Resumed{}));
  CHECK_THAT(history_lines(told(), 0), ContainsSubstring("cut short, and resumed\n"));
  records.push_back(at(3, "t1", Resumed{}));
  records.push_back(at(4, "t1", Ended{0, Verdict::none, "sha256:2", ""}));
  CHECK_THAT(history_lines(told(), 0), ContainsSubstring("cut short, and resumed 2 times\n"));
  CHECK(parse_json(history_json(told()))[0]["resumes"] == 2);
}
