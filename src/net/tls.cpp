#include "net/tls.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <limits>
#include <new>
#include <system_error>

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace slipway::net {
namespace {

bool is_address(const std::string& host) {
  std::array<std::uint8_t, 16> bytes;
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

int length_of(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

std::string queued_reason() {
  const unsigned long code = ::ERR_get_error();
  const char* reason = code == 0 ? nullptr : ::ERR_reason_error_string(code);
  return reason == nullptr ? "no reason given" : reason;
}

}  // namespace

TlsSession::TlsSession(ssl_ctx_st* context, const std::string& host, int fd)
    : session_(::SSL_new(context)) {
  if (session_ == nullptr || ::SSL_set_fd(session_, fd) != 1) throw std::bad_alloc();
  ::SSL_set_connect_state(session_);
  if (is_address(host)) {
    ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(session_), host.c_str());
  } else {
    ::SSL_set1_host(session_, host.c_str());
    // What the macro SSL_set_tlsext_host_name does, without its cast.
    std::string name = host;
    ::SSL_ctrl(session_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  }
}

TlsSession::~TlsSession() {
  ::SSL_free(session_);
}

TlsStep TlsSession::step_of(int outcome) {
  switch (::SSL_get_error(session_, outcome)) {
    case SSL_ERROR_NONE:
      return TlsStep::done;
    case SSL_ERROR_WANT_READ:
      return TlsStep::wants_read;
    case SSL_ERROR_WANT_WRITE:
      return TlsStep::wants_write;
    case SSL_ERROR_ZERO_RETURN:
      return TlsStep::closed;
    case SSL_ERROR_SYSCALL:
      if (errno == 0) return TlsStep::closed;
      failure_ = std::generic_category().message(errno);
      return TlsStep::failed;
    default:
      break;
  }
  const long verified = ::SSL_get_verify_result(session_);
  const bool established = ::SSL_is_init_finished(session_) == 1;
  if (!established && verified != X509_V_OK) {
    failure_ = fmt::format(
        "its certificate is not to be trusted: {}; give the authority with "
        "--ca-file, or --insecure",
        ::X509_verify_cert_error_string(verified));
  } else {
    failure_ =
        fmt::format("{}: {}", established ? "TLS failed" : "no TLS with it", queued_reason());
  }
  return TlsStep::failed;
}

TlsStep TlsSession::handshake() {
  ::ERR_clear_error();
  errno = 0;
  return step_of(::SSL_do_handshake(session_));
}

TlsStep TlsSession::read(std::span<std::uint8_t> room, std::size_t& transferred) {
  ::ERR_clear_error();
  errno = 0;
  const int got = ::SSL_read(session_, room.data(), length_of(room.size()));
  transferred = static_cast<std::size_t>(std::max(got, 0));
  return step_of(got);
}

TlsStep TlsSession::write(std::span<const std::uint8_t> bytes, std::size_t& transferred) {
  ::ERR_clear_error();
  errno = 0;
  const int put = ::SSL_write(session_, bytes.data(), length_of(bytes.size()));
  transferred = static_cast<std::size_t>(std::max(put, 0));
  return step_of(put);
}

void TlsSession::say_goodbye() {
  ::ERR_clear_error();
  ::SSL_shutdown(session_);
}

bool TlsSession::has_pending() const {
  return ::SSL_pending(session_) > 0;
}

void TlsContext::Free::operator()(ssl_ctx_st* context) const {
  ::SSL_CTX_free(context);
}

namespace {

// Asked at a terminal, a passphrase would be waited for by whoever runs without one.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

Error unusable(std::string_view flag, const std::filesystem::path& file, std::string_view remedy) {
  return {ErrorKind::usage,
          fmt::format("cannot use {} {}: {}", flag, file.string(), queued_reason()),
          std::string(remedy)};
}

Result<void> prove_who_we_are(SSL_CTX* context, const TlsOptions& options) {
  if (options.certificate_file.empty()) return {};
  ::ERR_clear_error();
  if (::SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1) {
    return unusable("--cert", options.certificate_file, "give a file of certificates in PEM");
  }
  ::SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (::SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      ::SSL_CTX_check_private_key(context) != 1) {
    return unusable("--key", options.key_file,
                    "give the certificate's private key in PEM, without a passphrase");
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::make(const TlsOptions& options) {
  auto made = std::make_shared<TlsContext>();
  made->context_.reset(::SSL_CTX_new(::TLS_client_method()));
  SSL_CTX* const context = made->context_.get();
  if (context == nullptr) throw std::bad_alloc();
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // The buffer that is written from moves between two tries.
  ::SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // A peer that just closes is told apart from one that lost its mind.
  ::SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  ::SSL_CTX_set_verify(context, options.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  if (options.ca_file.empty()) {
    ::SSL_CTX_set_default_verify_paths(context);
  } else if (::SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr) != 1) {
    return unusable("--ca-file", options.ca_file, "give a file of certificates in PEM");
  }
  if (auto proven = prove_who_we_are(context, options); !proven) return proven.error();
  return std::shared_ptr<const TlsContext>(std::move(made));
}

std::unique_ptr<TlsSession> TlsContext::session(const std::string& host, int fd) const {
  return std::make_unique<TlsSession>(context_.get(), host, fd);
}

}  // namespace slipway::net
