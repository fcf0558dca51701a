# shellcheck shell=bash disable=SC2154
# Sourced after shell.sh, once at_service was called: the executables that a release of Slipway brings.

# Whose release it is: an action is fetched into .../_actions/OWNER/NAME/REF. SLIPWAY_REPOSITORY: where it lies
# elsewhere.
slipway_repository() {
  if [ -n "${SLIPWAY_REPOSITORY:-}" ]; then
    printf '%s\n' "$SLIPWAY_REPOSITORY"
  elif [[ $slipway =~ /_actions/([^/]+/[^/]+)/ ]]; then
    printf '%s\n' "${BASH_REMATCH[1]}"
  else
    printf '%s\n' "$GITHUB_REPOSITORY"
  fi
}

# What of it was fetched: the tag, branch or commit that follows there; empty where nobody says. SLIPWAY_REFERENCE: likewise.
slipway_reference() {
  if [ -n "${SLIPWAY_REFERENCE:-}" ]; then
    printf '%s\n' "$SLIPWAY_REFERENCE"
  elif [[ $slipway =~ /_actions/[^/]+/[^/]+/(.+)$ ]]; then
    printf '%s\n' "${BASH_REMATCH[1]}"
  fi
}

# fetch_tools DIR image|own|newest [MACHINE]: the tools of the release that DIGEST is, of the one that the fetched action
# is, or of the newest (of DIGEST's, if that is newer), for this machine or a MACHINE of another kind, by checksum and
# attestation. Sets tools_version, empty when DIGEST is no release, and tools_tarball.
fetch_tools() {
  local repository commit attested machine said options=()
  machine=${3:-$(uname -m)}
  repository=$(slipway_repository)
  tools_tarball=''
  case $2 in
  own) options=(--own "$(slipway_reference)" --otherwise "$(cat "$slipway/VERSION")") ;;
  newest) options=(--newest --otherwise "$(cat "$slipway/VERSION")") ;;
  esac
  # What it says of a failure, on GitHub for the run's page and so on stdout, is no version.
  said=$("$slipway/scripts/ci/release-tools" "$1" --repository "$repository" --machine "$machine" "${options[@]}") ||
    { printf '%s\n' "$said" >&2 && return 1; }
  read -r tools_version commit <<<"$said" || true
  [ -n "$tools_version" ] || return 0
  tools_tarball=$1/slipway-tools-$tools_version-linux-$machine.tar.gz
  if [ "${ATTESTED:-true}" = false ] && [ "$repository" = "$GITHUB_REPOSITORY" ]; then
    echo "**Tools**: $tools_version by its checksum; this repository has no attestations" | summary
    return 0
  fi
  need - gh
  # Releases are made in a workflow_run, whose ref is always the default branch; the commit stands in the predicate.
  attested=$(gh attestation verify "$tools_tarball" --repo "$repository" --deny-self-hosted-runners \
    --signer-workflow "$repository/.github/workflows/release.yml" --source-ref "${SLIPWAY_REF:-refs/heads/main}" \
    --predicate-type "https://github.com/$repository/tools/v1" \
    --format json --jq '.[].verificationResult.statement.predicate.commit') ||
    die "no valid attestation of the tools of $tools_version by the release of $repository: not used"
  grep -qxF "$commit" <<<"$attested" ||
    die "the tools of $tools_version were attested for ${attested:-no commit}, not for $commit: not used"
}

# A service that competes for its processor as any process does uses the share that the kernel
# finds fair, however slow it is; so the duet wants real-time priority. Runners do not grant it to
# everybody, but whoever may use sudo there can allow it to this shell and what it starts.
allow_real_time() {
  chrt --fifo 2 true 2>/dev/null || sudo -n prlimit --pid "$$" --rtprio=2:2 2>/dev/null ||
    echo '::warning title=Benchmark::no real-time priority here, so the gate may see less or be inconclusive'
}
