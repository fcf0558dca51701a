#include "deploy/kubernetes/patch.hpp"

#include "base/durable_file.hpp"
#include "base/foreign_text.hpp"
#include "service/document.hpp"

#include <array>

#include <fmt/format.h>

namespace slipway::deploy {
namespace {

constexpr std::array kinds{"Deployment", "PodDisruptionBudget", "Service"};

}  // namespace

Result<std::map<std::string, Json>> read_patches(const std::filesystem::path& file) {
  const auto text = read_file(file, std::size_t{256} << 10);
  if (!text) {
    Error error = text.error();
    error.remedy = "correct the field patch of the configuration";
    return error;
  }
  auto document = service::parse_yaml(*text, file.string());
  if (!document) return document.error();
  const Error wrong{ErrorKind::usage,
                    fmt::format("{}: it is not a mapping of {} to what is changed of them",
                                file.string(), fmt::join(kinds, ", ")),
                    "correct the file"};
  if (!document->value.is_object()) return wrong;
  std::map<std::string, Json> patches;
  for (const auto& [kind, patch] : document->value.items()) {
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end() || !patch.is_object()) {
      return wrong;
    }
    patches[kind] = patch;
  }
  return patches;
}

Result<void> apply_patch(ClusterApi& api, const std::filesystem::path& file, Json& object) {
  if (file.empty()) return {};
  const auto patches = read_patches(file);
  if (!patches) return patches.error();
  const auto patch = patches->find(object.at("kind").get<std::string>());
  if (patch == patches->end()) return {};
  const auto folder = api.directory();
  if (!folder) return folder.error();
  const std::filesystem::path input = *folder / "object.json";
  if (auto written = write_durably(input, to_text(object), 0600); !written) return written.error();
  // It may hold what every user of this machine must not see among the arguments.
  const std::filesystem::path changes = *folder / "patch.json";
  if (auto written = write_durably(changes, to_text(patch->second), 0600); !written) {
    return written.error();
  }
  auto merged = api.kubectl({"patch", "--local", "-f", input.string(), "--type=strategic", "-o",
                             "json", "--patch-file", changes.string()},
                            std::chrono::seconds(30));
  if (!merged) return merged.error();
  Json result = merged->exit_status == 0 ? parse_json(merged->out) : Json();
  if (!result.is_object()) {
    return Error{ErrorKind::usage,
                 fmt::format("{}: {} cannot be changed so: {}", file.string(), patch->first,
                             foreign_text(merged->err, 400)),
                 "correct the file"};
  }
  object = std::move(result);
  return {};
}

}  // namespace slipway::deploy
