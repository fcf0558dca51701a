#!/usr/bin/env bash
# usage: scripts/deploy.sh --host ADDRESS [--user deploy] [--port 22] --known-hosts FILE -- IMAGE[@DIGEST] [OPTION...]
#
# Rolls a host forward from outside: runs `deploy` there over plain ssh and returns its exit status.
# SLIPWAY_HOST, SLIPWAY_USER, SLIPWAY_PORT and SLIPWAY_KNOWN_HOSTS say the same. The key comes from
# the agent at SSH_AUTH_SOCK. What is meant for the host comes after --.
# Several hosts (--host again, or A,B,C): all are asked before any is changed; then one after the other, the first
# being the canary; at the first that does not take it, those that did are taken back. Killed, the same command
# goes on from what the hosts say.
# Exit: that of `deploy` (see deploy --help); 2 also: the host refused that key, or its own is not in
# FILE; 255: it was not reached, or the connection was lost.
set -euo pipefail
# shellcheck source=scripts/lib/on-host.sh
. "$(dirname "$0")/../scripts/lib/on-host.sh"

on_host deploy "$@"
