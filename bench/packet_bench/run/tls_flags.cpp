#include "packet_bench/run/tls_flags.hpp"

#include "packet_bench/run/flag_values.hpp"

namespace slipway::bench {

void TlsFlags::add(Flags& command, const std::string& group_name) {
  const FlagGroup group(command, group_name);
  const char* const text = "whom TLS trusts; own PEM";
  Flag ca_file = group.add("--ca-file", "FILE", ca_file_, text);
  group.add("--insecure", insecure_, text).excludes(ca_file);
  group.add("--cert", "FILE", certificate_, text);
  group.add("--key", "FILE", key_, text);
}

Result<net::TlsOptions> TlsFlags::checked(bool used) const {
  if (!used && (!ca_file_.empty() || insecure_)) {
    return Error{ErrorKind::usage, "--ca-file and --insecure are for targets with TLS",
                 "name a btp+wss, ilp+https or https target, or leave them out"};
  }
  if (!used && (!certificate_.empty() || !key_.empty())) {
    return Error{ErrorKind::usage, "--cert and --key are for targets with TLS",
                 "name a btp+wss, ilp+https or https target, or leave them out"};
  }
  if (certificate_.empty() && !key_.empty()) {
    return Error{ErrorKind::usage, "--key without a certificate proves nothing", "give --cert"};
  }
  return net::TlsOptions{.ca_file = ca_file_,
                         .insecure = insecure_,
                         .certificate_file = certificate_,
                         .key_file = key_.empty() ? certificate_ : key_};
}

}  // namespace slipway::bench
