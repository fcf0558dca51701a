#include "deploy/haproxy/statistics.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace slipway::deploy {
namespace {

// Rows under a head that begins with "# ", their fields by the head's names.
class Table {
 public:
  using Row = std::map<std::string_view, std::string_view>;

  Table(std::string_view text, char separator) : separator_(separator) {
    std::vector<std::string_view> names;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      if (line.starts_with("# ")) {
        names = split(line.substr(2));
      } else if (!names.empty() && !line.empty()) {
        add(names, split(line));
      }
    }
  }

  const std::vector<Row>& rows() const { return rows_; }

 private:
  std::vector<std::string_view> split(std::string_view line) const {
    std::vector<std::string_view> fields;
    for (;;) {
      const std::size_t end = line.find(separator_);
      fields.push_back(line.substr(0, end));
      if (end == std::string_view::npos) return fields;
      line.remove_prefix(end + 1);
    }
  }

  void add(const std::vector<std::string_view>& names,
           const std::vector<std::string_view>& fields) {
    Row row;
    for (std::size_t i = 0; i < std::min(names.size(), fields.size()); ++i) {
      row[names[i]] = fields[i];
    }
    rows_.push_back(std::move(row));
  }

  char separator_;
  std::vector<Row> rows_;
};

std::string_view field(const Table::Row& row, std::string_view name) {
  const auto found = row.find(name);
  return found == row.end() ? std::string_view() : found->second;
}

// Nothing: the field is empty, as that of HTTP is where a backend passes on bytes.
std::optional<std::uint64_t> number(const Table::Row& row, std::string_view name) {
  const std::string_view text = field(row, name);
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc{} ? std::optional(value) : std::nullopt;
}

}  // namespace

std::vector<Server> parse_servers(std::string_view answer) {
  std::vector<Server> servers;
  const Table table(answer, ' ');
  for (const Table::Row& row : table.rows()) {
    const auto port = number(row, "srv_port");
    if (!port || *port > 65535) continue;
    servers.push_back({std::string(field(row, "be_name")), std::string(field(row, "srv_addr")),
                       static_cast<std::uint16_t>(*port)});
  }
  return servers;
}

bool has_server(const std::vector<Server>& servers, std::string_view address, std::uint16_t port) {
  return std::any_of(servers.begin(), servers.end(), [&](const Server& server) {
    return server.address == address && server.port == port;
  });
}

std::set<std::string> backends_of(const std::vector<Server>& servers, std::string_view address) {
  std::set<std::string> names;
  for (const Server& server : servers) {
    if (server.address == address) names.insert(server.backend);
  }
  return names;
}

Counted count(std::string_view csv, const std::set<std::string>& backends) {
  Counted counted;
  double latency_s = 0;
  std::uint64_t timed = 0;
  const Table table(csv, ',');
  for (const Table::Row& row : table.rows()) {
    if (field(row, "svname") != "BACKEND" ||
        !backends.contains(std::string(field(row, "pxname")))) {
      continue;
    }
    counted.sessions += number(row, "scur").value_or(0);
    const auto bad = number(row, "hrsp_5xx");
    if (!bad) continue;
    std::uint64_t good = 0;
    for (const char* kind : {"hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx"}) {
      good += number(row, kind).value_or(0);
    }
    counted.totals.good += good;
    counted.totals.bad += *bad;
    // Until the first byte of the answer, a mean of the last thousand: a download or a tunnel that
    // goes on for long is not slow.
    latency_s += static_cast<double>(number(row, "rtime").value_or(0)) / 1e3 *
                 static_cast<double>(good + *bad);
    timed += good + *bad;
  }
  if (timed > 0) counted.totals.recent_mean_s = latency_s / static_cast<double>(timed);
  return counted;
}

}  // namespace slipway::deploy
