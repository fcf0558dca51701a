#include "connector/connector_process.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sstream>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace slipway::connector::test {

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    throw std::runtime_error("connect to port " + std::to_string(port));
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

std::string http_get(std::uint16_t port, const std::string& path) {
  const int fd = connect_to(port);
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    throw std::runtime_error("send");
  }
  std::string response;
  char buffer[16384];
  for (ssize_t size; (size = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) {
    response.append(buffer, static_cast<std::size_t>(size));
  }
  ::close(fd);
  const std::size_t body = response.find("\r\n\r\n");
  if (!response.starts_with("HTTP/1.1 200") || body == std::string::npos) {
    throw std::runtime_error("GET " + path + ": " + response.substr(0, 60));
  }
  return response.substr(body + 4);
}

ConnectorProcess::ConnectorProcess(const std::string& executable, const std::string& config) {
  Environment environment = current_environment();
  environment["CONNECTOR_CONFIG_JSON"] = config;
  if (config.find("\"ledger\"") == std::string::npos) environment["CONNECTOR_LEDGER"] = "none";
  const std::string output_file = (directory_.path() / "output").string();
  auto child = Child::start(
      {.argv = {executable, "run"}, .environment = environment, .output_file = output_file});
  if (!child) throw std::runtime_error(child.error().text());
  child_.emplace(std::move(*child));
  wait_until("the connector to listen", [&] {
    if (child_->exit_status()) throw std::runtime_error("the connector ended: " + output());
    const std::string text = output();
    const std::size_t begin = text.find("{\"event\":\"listening\"");
    const std::size_t end = text.find('\n', begin);
    if (begin == std::string::npos || end == std::string::npos) return false;
    const auto line = parse_json(text.substr(begin, end - begin));
    btp_port_ = line["btpPort"].get<std::uint16_t>();
    http_port_ = line["httpPort"].get<std::uint16_t>();
    return true;
  });
}

std::string ConnectorProcess::output() const {
  const auto text = read_file(directory_.path() / "output");
  return text ? *text : std::string();
}

std::map<std::string, std::string> ConnectorProcess::metrics() const {
  std::map<std::string, std::string> series;
  std::istringstream text(http_get(http_port_, "/metrics"));
  for (std::string line; std::getline(text, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t space = line.rfind(' ');
    series[line.substr(0, space)] = line.substr(space + 1);
  }
  return series;
}

std::int64_t ConnectorProcess::metric(const std::string& name) const {
  const auto all = metrics();
  const auto found = all.find(name);
  return found == all.end() ? 0 : std::stoll(found->second);
}

bool is_ready(const ConnectorProcess& connector) {
  try {
    http_get(connector.http_port(), "/health/ready");
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

}  // namespace slipway::connector::test
