#include "service/read_service.hpp"

#include "base/durable_file.hpp"

namespace slipway::service {

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
