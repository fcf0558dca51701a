#include "packet_bench/subject/own_process.hpp"

#include "base/durable_file.hpp"
#include "base/foreign_text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

constexpr std::streamoff longest_words = 4096;

// The end of a file, which may be large: a service may log every request.
std::string end_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  const std::streamoff size = std::max<std::streamoff>(0, in.tellg());
  std::string text(static_cast<std::size_t>(std::min(size, longest_words)), '\0');
  in.seekg(size - static_cast<std::streamoff>(text.size()));
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  return text;
}

}  // namespace

void OwnFolder::Remove::operator()(const std::filesystem::path* path) const {
  std::error_code ignored;
  std::filesystem::remove_all(*path, ignored);
  delete path;
}

Result<OwnFolder> OwnFolder::create() {
  std::string pattern = (std::filesystem::temp_directory_path() / "packet_bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return io_error("cannot create", pattern, errno);
  return OwnFolder(pattern);
}

OwnProcess::OwnProcess(OwnFolder folder, std::optional<OwnContainer> container, Child child)
    : folder_(std::move(folder)), container_(std::move(container)), child_(std::move(child)) {}

Result<OwnProcess> OwnProcess::start(const std::vector<std::string>& argv,
                                     const Environment& environment, OwnFolder folder,
                                     std::optional<OwnContainer> container) {
  auto child = Child::start({.argv = argv,
                             .environment = environment,
                             .output_file = (folder.path() / "output").string()});
  if (!child) return child.error();
  return OwnProcess(std::move(folder), std::move(container), std::move(*child));
}

Result<std::string> OwnProcess::output() const {
  return read_file(output_file());
}

std::string OwnProcess::last_words(std::size_t lines) const {
  const std::string text = foreign_text(end_of(output_file()), longest_words);
  if (text.empty()) return "it logged nothing";
  std::size_t begin = text.size();
  for (std::size_t i = 0; i < lines && begin != 0; ++i) {
    const std::size_t end = text.rfind('\n', begin - 1);
    begin = end == std::string::npos ? 0 : end;
  }
  if (begin != 0) ++begin;
  std::string words;
  for (const char each : text.substr(begin))
    words += each == '\n' ? std::string(" | ") : std::string(1, each);
  return words;
}

std::optional<std::string> OwnProcess::death(std::string_view name, std::size_t lines) {
  const auto status = child_.exit_status();
  if (!status) return std::nullopt;
  return fmt::format("{} ended with status {}: {}", name, *status, last_words(lines));
}

}  // namespace slipway::bench
