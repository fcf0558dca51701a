#include "base/sha256.hpp"

#include <stdexcept>

#include <fmt/core.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace slipway {

struct Sha256::State {
  EVP_MD* algorithm = ::EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* context = ::EVP_MD_CTX_new();
  ~State() {
    ::EVP_MD_CTX_free(context);
    ::EVP_MD_free(algorithm);
  }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (state_->algorithm == nullptr || state_->context == nullptr) {
    throw std::runtime_error("OpenSSL has no SHA-256 here");
  }
}

Sha256::~Sha256() = default;

Digest Sha256::digest(std::span<const std::uint8_t> bytes) {
  Digest digest;
  if (::EVP_DigestInit_ex2(state_->context, state_->algorithm, nullptr) != 1 ||
      ::EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1 ||
      ::EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL could not compute a SHA-256");
  }
  return digest;
}

std::string sha256_hex(std::string_view bytes) {
  std::string hex;
  for (const std::uint8_t byte :
       Sha256().digest({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()})) {
    hex += fmt::format("{:02x}", byte);
  }
  return hex;
}

bool equal_in_constant_time(const Digest& a, const Digest& b) {
  return ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace slipway
