#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

struct ssl_st;
struct ssl_ctx_st;

namespace slipway::net {

struct TlsOptions {
  std::filesystem::path ca_file;  // whom to trust; empty: whom the system trusts
  bool insecure = false;          // trust anybody
  // What we prove to be, PEM; empty: nothing. The certificate's file may hold the key, too.
  std::filesystem::path certificate_file;
  std::filesystem::path key_file;
};

// The outcome of a step on a non-blocking connection.
enum class TlsStep { done, wants_read, wants_write, closed, failed };

// One connection's TLS, as a client, on a socket that it does not own.
class TlsSession {
 public:
  TlsSession(ssl_ctx_st* context, const std::string& host, int fd);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  TlsStep handshake();
  // `transferred`: the bytes read or written when it is done.
  TlsStep read(std::span<std::uint8_t> room, std::size_t& transferred);
  TlsStep write(std::span<const std::uint8_t> bytes, std::size_t& transferred);
  // Tells the peer that no more will come, as far as that can be told now.
  void say_goodbye();
  // Decrypted bytes that wait inside and that no event will tell of.
  bool has_pending() const;
  // After `failed`: what was wrong and, where there is one, the remedy.
  const std::string& failure() const { return failure_; }

 private:
  TlsStep step_of(int outcome);

  ssl_st* session_;
  std::string failure_;
};

// What the sessions of a run share. Thread-safe.
class TlsContext {
 public:
  // Error (`usage`): a file cannot be used, or the key is not the certificate's.
  static Result<std::shared_ptr<const TlsContext>> make(const TlsOptions& options);

  // The peer must prove to be `host`, a name or an address, unless the options said otherwise.
  std::unique_ptr<TlsSession> session(const std::string& host, int fd) const;

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace slipway::net
