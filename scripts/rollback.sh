#!/usr/bin/env bash
# usage: scripts/rollback.sh --host ADDRESS [--user deploy] [--port 22] --known-hosts FILE -- [TAG|DIGEST] [OPTION...]
#        scripts/rollback.sh --host ADDRESS --known-hosts FILE -- --status --json
#
# Takes a host back from outside: runs `rollback` there over plain ssh and returns its exit status.
# SLIPWAY_HOST, SLIPWAY_USER, SLIPWAY_PORT and SLIPWAY_KNOWN_HOSTS say the same. The key comes from
# the agent at SSH_AUTH_SOCK. What is meant for the host comes after --.
# Several hosts (--host again, or A,B,C): all at once.
# Exit: that of `rollback` (see rollback --help; with --status 9: what should serve does not answer, and the
# JSON is whole); 2 also: the host refused that key, or its own is not in
# FILE; 255: it was not reached, or the connection was lost.
set -euo pipefail
# shellcheck source=scripts/lib/on-host.sh
. "$(dirname "$0")/../scripts/lib/on-host.sh"

on_host rollback "$@"
