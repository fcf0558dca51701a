#include "deploy/model/release.hpp"

#include "base/foreign_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

bool only_from(std::string_view text, std::string_view extra) {
  return std::all_of(text.begin(), text.end(), [extra](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           extra.find(c) != std::string_view::npos;
  });
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= 128 && text.front() != '.' && text.front() != '-' &&
         only_from(text, "._-");
}

bool is_repository(std::string_view text) {
  return !text.empty() && text.size() <= 255 && text.front() != '-' && text.front() != '/' &&
         text.back() != '/' && only_from(text, "._-/:") &&
         text.find("//") == std::string_view::npos;
}

}  // namespace

bool is_digest(std::string_view text) {
  constexpr std::string_view prefix = "sha256:";
  if (text.substr(0, prefix.size()) != prefix || text.size() != prefix.size() + 64) return false;
  return std::all_of(text.begin() + prefix.size(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool older(std::string_view a, std::string_view b) {
  const auto numbers = [](std::string_view text) {
    std::array<unsigned long, 3> parts{};
    if (!text.empty() && text.front() == 'v') text.remove_prefix(1);
    for (unsigned long& part : parts) {
      const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), part);
      if (failed != std::errc{}) break;
      text.remove_prefix(static_cast<std::size_t>(end - text.data()));
      if (text.empty() || text.front() != '.') break;
      text.remove_prefix(1);
    }
    return parts;
  };
  return numbers(a) < numbers(b);
}

std::string Reference::text() const {
  if (!digest.empty()) return repository + "@" + digest;
  return repository + ":" + tag;
}

Result<Reference> parse_reference(std::string_view text) {
  const Error refused{ErrorKind::usage,
                      fmt::format("'{}' is not an image reference", foreign_line(text, 300)),
                      "write REPOSITORY, REPOSITORY:TAG or REPOSITORY@sha256:DIGEST"};
  Reference reference;
  std::string_view name = text;
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    reference.digest = text.substr(at + 1);
    if (!is_digest(reference.digest)) return refused;
    name = text.substr(0, at);
  }
  // A colon after the last slash begins a tag; one before it belongs to a registry's port.
  const std::size_t slash = name.rfind('/');
  const std::size_t colon = name.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) {
    reference.tag = name.substr(colon + 1);
    if (!is_tag(reference.tag)) return refused;
    name = name.substr(0, colon);
  }
  if (!is_repository(name)) return refused;
  reference.repository = name;
  if (reference.tag.empty() && reference.digest.empty()) reference.tag = "latest";
  return reference;
}

bool is_well_formed(const Release& release) {
  return is_repository(release.repository) && is_digest(release.digest) &&
         (release.image_id.empty() || is_digest(release.image_id));
}

std::string normalised_repository(std::string_view repository) {
  for (const std::string_view hub : {"docker.io/", "index.docker.io/", "registry-1.docker.io/"}) {
    if (!repository.starts_with(hub)) continue;
    repository.remove_prefix(hub.size());
    break;
  }
  constexpr std::string_view library = "library/";
  if (repository.starts_with(library)) repository.remove_prefix(library.size());
  return std::string(repository);
}

std::string Release::describe() const {
  if (digest.empty()) return "nothing";
  const std::string name = foreign_line(tag.empty() ? version : tag, 200);
  return name.empty() ? digest : name + " " + digest;
}

}  // namespace slipway::deploy
