# on_host deploy|rollback CONNECTION... -- ARGUMENT...: see scripts/deploy.sh and scripts/rollback.sh.
# shellcheck shell=bash

die() {
  printf '%s.sh: error: %s\n' "$program" "$1" >&2
  exit 2
}

on_host() {
  program=$1
  shift
  local host=${SLIPWAY_HOST:-} user=${SLIPWAY_USER:-deploy} port=${SLIPWAY_PORT:-22}
  local known_hosts=${SLIPWAY_KNOWN_HOSTS:-} word status=0
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    --host | --user | --port | --known-hosts) [ $# -ge 2 ] || die "$1 needs a value" ;;
    *) die "unknown option '$1'; what is meant for the host comes after --" ;;
    esac
    case $1 in
    --host) host=$2 ;;
    --user) user=$2 ;;
    --port) port=$2 ;;
    --known-hosts) known_hosts=$2 ;;
    esac
    shift 2
  done
  [ $# -eq 0 ] || shift
  [ -n "$host" ] || die 'which host? give --host ADDRESS'
  [ -n "$known_hosts" ] || die 'give --known-hosts FILE: only a host whose key is in it is trusted'
  [ -r "$known_hosts" ] || die "cannot read $known_hosts"
  for word in "$host" "$user" "$port"; do
    [[ $word =~ ^[A-Za-z0-9._:][A-Za-z0-9._:-]*$ ]] || die "'$word' is no address, user or port"
  done
  # The remote shell, and the forced command that replaces it, see words and nothing else.
  for word in "$@"; do
    [[ $word =~ ^[A-Za-z0-9@:._/=,+-]+$ ]] || die "'$word' has a character that is not sent to a host"
  done
  ssh -n -T -p "$port" -o BatchMode=yes -o StrictHostKeyChecking=yes \
    -o UserKnownHostsFile="$known_hosts" -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=10 \
    -o ServerAliveInterval=15 -o ServerAliveCountMax=4 "$user@$host" "$program" "$@" || status=$?
  if [ "$status" -eq 255 ]; then
    printf '%s.sh: error: %s was not reached, or the connection was lost; what began there goes on: ask with scripts/rollback.sh ... -- --status\n' \
      "$program" "$host" >&2
  fi
  exit "$status"
}
