#include "deploy/cli/webhook.hpp"

#include "base/command_line.hpp"
#include "base/durable_file.hpp"
#include "base/process.hpp"

#include <fmt/core.h>

namespace slipway::deploy {

void call_webhook(const Report& report, const Config& config, const std::string& program) {
  const bool is_news = !report.began_nothing || report.exit_code != ExitCode::done;
  if (config.webhook.empty() || !is_news) return;
  const auto curl_config = config.state_directory / "webhook.curl";
  const auto body = config.state_directory / "webhook.json";
  const std::string lines = fmt::format(
      "url = \"{}\"\nrequest = POST\nheader = \"Content-Type: application/json\"\n"
      "data-binary = \"@{}\"\nsilent\nfail\nmax-time = 10\n",
      config.webhook, body.string());
  const bool sent = write_durably(curl_config, lines, 0600) &&
                    write_durably(body, to_json_text(report), 0600) && [&] {
                      auto done = run_command({.argv = {"curl", "--config", curl_config.string()},
                                               .deadline = std::chrono::seconds(15)});
                      return done && done->exit_status == 0;
                    }();
  if (!sent) print_warning(program, "the webhook was not reached; the outcome is not affected");
}

}  // namespace slipway::deploy
