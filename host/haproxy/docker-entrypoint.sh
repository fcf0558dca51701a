#!/bin/sh
# `-f file ...` and `haproxy -f file ...` both run the master in the foreground, as in the public
# image; any other command is run as it is.
set -eu

case "${1:-}" in
  -*) set -- haproxy "$@" ;;
esac
if [ "${1:-}" = haproxy ]; then
  shift
  set -- haproxy -W -db "$@"
fi
exec "$@"
