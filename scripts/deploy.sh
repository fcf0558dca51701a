#!/usr/bin/env bash
# Rolls a host forward from outside: runs `deploy` there over plain ssh and returns its exit status.
#   scripts/deploy.sh --host ADDRESS [--user deploy] [--port 22] --known-hosts FILE -- IMAGE[@DIGEST] [OPTION...]
# SLIPWAY_HOST, SLIPWAY_USER, SLIPWAY_PORT and SLIPWAY_KNOWN_HOSTS say the same. The key comes from
# the agent at SSH_AUTH_SOCK. 255 is ssh's own: the host was not reached.
set -euo pipefail
# shellcheck source=scripts/lib/on-host.sh
. "$(dirname "$0")/../scripts/lib/on-host.sh"

on_host deploy "$@"
