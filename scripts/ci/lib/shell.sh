# shellcheck shell=bash
# What the scripts of the workflows share. Outside a workflow, outputs and summaries go to stderr.

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

need() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || die "$tool is not installed; run scripts/setup lint" 2
  done
}
