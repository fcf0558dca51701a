# shellcheck shell=bash
# Sourced by every script before anything else: shows the script's head, its help, to whoever asks for
# it, and goes to the root of Slipway's checkout. Outside a workflow, outputs and summaries go to stderr.

case ${1:-} in
-h | --help)
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
  exit 0
  ;;
esac
caller=$PWD
cd -P "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
# shellcheck disable=SC2034 # read by the scripts
slipway=$PWD

# Back to the root of the repository where the script was called, whose service it is about: from a published
# action that is another than Slipway's, whose checkout is still $slipway.
at_service() {
  cd "$caller" && cd "$(git rev-parse --show-toplevel 2>/dev/null || pwd -P)" || exit
}

die() {
  printf '%s: error: %s\n' "${0##*/}" "$1" >&2
  [ -z "${GITHUB_ACTIONS:-}" ] || printf '::error::%s\n' "$1"
  exit "${2:-1}"
}

# output NAME VALUE: for later steps and jobs.
output() {
  printf '%s=%s\n' "$1" "$2" >>"${GITHUB_OUTPUT:-/dev/stderr}"
}

# summary < markdown: what people read on the run's page.
summary() {
  cat >>"${GITHUB_STEP_SUMMARY:-/dev/stderr}"
}

# need GROUP TOOL...: GROUP is the one of scripts/setup that installs them; `-` where none does.
need() {
  local group=$1 tool
  for tool in "${@:2}"; do
    command -v "$tool" >/dev/null && continue
    [ "$group" != - ] || die "$tool is not installed, and scripts/setup does not bring it" 2
    die "$tool is not installed; run scripts/setup $group" 2
  done
}
