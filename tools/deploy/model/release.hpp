#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace slipway::deploy {

// An image as people name it: repository[:tag][@sha256:...].
struct Reference {
  std::string repository;
  std::string tag;
  std::string digest;  // "sha256:" and 64 hexadecimal digits, or empty

  // repository@digest where the digest is known, else repository:tag.
  std::string text() const;
};

// Errors: usage, naming what is wrong. A reference with neither tag nor digest means `latest`.
Result<Reference> parse_reference(std::string_view text);

bool is_digest(std::string_view text);

// Whether version `a` is older than `b`, by their dotted numbers; a leading v and what follows a
// hyphen or plus are ignored.
bool older(std::string_view a, std::string_view b);

// A version that was or is to be run: the image by digest, and the configuration that goes with it.
struct Release {
  std::string repository;
  std::string tag;       // as it was asked for; may be empty
  std::string digest;    // manifest digest, sha256:...
  std::string image_id;  // sha256:... of the image's configuration, what the engine runs
  std::string revision;  // label org.opencontainers.image.revision: the releaseId that health shows
  std::string version;   // label org.opencontainers.image.version
  std::string oldest_return;  // label: the oldest version that this one can be rolled back to
  std::string snapshot;       // hash of all that it runs with
  // label io.slipway.service: the service as its image describes it; empty: it does not. Known from
  // an inspection only; what counts later is in the snapshot.
  std::string description = {};

  bool empty() const { return digest.empty(); }
  // The same image with the same configuration.
  bool same_as(const Release& that) const {
    return digest == that.digest && snapshot == that.snapshot;
  }
  // "v1.2.0 sha256:..." or the digest alone.
  std::string describe() const;
};

// Whether repository, digest and image id have the form of such, so that they can be part of a
// request; only the image id may be missing.
bool is_well_formed(const Release& release);

// One name for each repository: docker.io/acme/x and acme/x are the same, as are library/x and x.
std::string normalised_repository(std::string_view repository);

}  // namespace slipway::deploy
