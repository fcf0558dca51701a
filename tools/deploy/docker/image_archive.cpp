#include "deploy/docker/image_archive.hpp"

#include "base/durable_file.hpp"
#include "base/unique_fd.hpp"
#include "deploy/docker/docker_command.hpp"
#include "deploy/model/plan_json.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

namespace fs = std::filesystem;

// What a kill or a full disk left: the archive that was not finished, and docker's own beginnings.
void remove_unfinished(const fs::path& folder) {
  std::error_code ignored;
  std::vector<fs::path> unfinished;
  for (fs::directory_iterator entry(folder, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const auto kind = entry->path().extension();
    if (kind != ".tar" && kind != ".json") unfinished.push_back(entry->path());
  }
  for (const fs::path& file : unfinished) fs::remove(file, ignored);
}

Result<void> publish(const fs::path& from, const fs::path& to) {
  const UniqueFd fd(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0 || ::rename(from.c_str(), to.c_str()) != 0) {
    return io_error("cannot keep the image", to.string(), errno);
  }
  return sync_directory(to.parent_path());
}

}  // namespace

ImageArchive::ImageArchive(const Config& config)
    : config_(config), folder_(config.state_directory / "images") {}

fs::path ImageArchive::image_of(const std::string& digest) const {
  return folder_ / (digest.substr(7) + ".tar");
}

fs::path ImageArchive::description_of(const std::string& digest) const {
  return folder_ / (digest.substr(7) + ".json");
}

bool ImageArchive::has(const std::string& digest) const {
  std::error_code ignored;
  return is_digest(digest) && fs::exists(image_of(digest), ignored);
}

std::vector<Release> ImageArchive::releases() const {
  std::vector<Release> found;
  std::error_code ignored;
  for (fs::directory_iterator entry(folder_, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    if (entry->path().extension() != ".json") continue;
    const auto text = read_file(entry->path(), std::size_t{1} << 20);
    const auto release = text ? parse_release(*text) : std::nullopt;
    if (release && is_well_formed(*release) && has(release->digest)) found.push_back(*release);
  }
  return found;
}

Result<void> ImageArchive::write(const Release& release, std::stop_token stop) const {
  if (has(release.digest)) return {};
  if (auto made = make_directory(folder_, 0700); !made) return made;
  remove_unfinished(folder_);
  auto described = write_durably(description_of(release.digest), to_json_text(release), 0600);
  if (!described) return described;
  const fs::path unfinished = image_of(release.digest).string() + ".new";
  if (auto saved = docker_save(config_, release.image_id, unfinished, std::move(stop)); !saved) {
    std::error_code ignored;
    fs::remove(unfinished, ignored);
    return saved;
  }
  return publish(unfinished, image_of(release.digest));
}

Result<Release> ImageArchive::load(const std::string& digest, std::stop_token stop) const {
  const Error none{ErrorKind::not_found, fmt::format("{} is not kept as a file", digest), {}};
  if (!has(digest)) return none;
  const auto text = read_file(description_of(digest), std::size_t{1} << 20);
  const auto release = text ? parse_release(*text) : std::nullopt;
  if (!release || release->digest != digest || release->image_id.empty()) return none;
  auto loaded = docker_load(config_, image_of(digest), std::move(stop));
  if (!loaded) return loaded.error();
  return *release;
}

void ImageArchive::remove(const std::string& digest) const {
  std::error_code ignored;
  if (!is_digest(digest)) return;
  fs::remove(image_of(digest), ignored);
  fs::remove(description_of(digest), ignored);
}

}  // namespace slipway::deploy
