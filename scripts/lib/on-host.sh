# on_host deploy|rollback CONNECTION... -- ARGUMENT...: see scripts/deploy.sh and scripts/rollback.sh.
# shellcheck shell=bash

die() {
  printf '%s.sh: error: %s\n' "$program" "$1" >&2
  exit 2
}

# Whether the host at $1, port $2, shows a key that is in the file $3. What an authority of the file
# signed cannot be told from here and counts.
shows_known_key() {
  local host=$1 port=$2 file=$3 name=$1 known blob
  [ "$port" = 22 ] || name="[$host]:$port"
  known=$(ssh-keygen -F "$name" -f "$file" 2>/dev/null) || return 1
  case $known in *@cert-authority*) return 0 ;; esac
  while read -r _ _ blob; do
    case $known in *"$blob"*) return 0 ;; esac
  done <<<"$4"
  return 1
}

# Says why ssh did not get in, and ends: 2 where what was given is wrong, 255 where nothing answers.
explain() {
  local host=$1 port=$2 file=$3 user=$4 shown
  shown=$(ssh-keyscan -T 5 -p "$port" "$host" 2>/dev/null) || true
  if [ -z "$shown" ]; then
    printf '%s.sh: error: %s, port %s, was not reached; nothing began there\n' "$program" "$host" "$port" >&2
    exit 255
  fi
  shows_known_key "$host" "$port" "$file" "$shown" ||
    die "$host shows a host key that is not in $file: it was set up anew, or something stands between; compare 'ssh-keyscan -p $port $host | ssh-keygen -lf -' with the host's console, then correct the file; nothing began there"
  die "$host did not let $user in with the keys of your agent (see ssh-add -l); ssh-add the right one, or have its public part put into authorized_keys of $user there; nothing began there"
}

on_host() {
  program=$1
  shift
  local host=${SLIPWAY_HOST:-} user=${SLIPWAY_USER:-deploy} port=${SLIPWAY_PORT:-22}
  local known_hosts=${SLIPWAY_KNOWN_HOSTS:-} several='' word status=0
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
    -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --host | --user | --port | --known-hosts) [ $# -ge 2 ] || die "$1 needs a value" ;;
    *) die "unknown option '$1'; what is meant for the host comes after --" ;;
    esac
    case $1 in
    --host) host=${several:+$host,}$2 several=yes ;;
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
  for word in ${host//,/ } "$user" "$port"; do
    [[ $word =~ ^[A-Za-z0-9._:][A-Za-z0-9._:-]*$ ]] || die "'$word' is no address, user or port"
  done
  # The remote shell, and the forced command that replaces it, see words and nothing else.
  for word in "$@"; do
    [[ $word =~ ^[A-Za-z0-9@:._/=,+-]+$ ]] || die "'$word' has a character that is not sent to a host"
  done
  # One report of all of them, and no host left behind.
  if [[ $host == *,* ]]; then
    PYTHONPATH="$(dirname "$0")/lib${PYTHONPATH:+:$PYTHONPATH}" exec python3 -m slipway.rollout "$program" \
      --hosts "$host" --user "$user" --port "$port" --known-hosts "$known_hosts" -- "$@"
  fi
  # Taken away by ssh once it is in: what ends before that began nothing.
  outside=$(mktemp)
  trap 'rm -f "$outside"' EXIT
  ssh -n -T -p "$port" -o BatchMode=yes -o StrictHostKeyChecking=yes \
    -o UserKnownHostsFile="$known_hosts" -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=10 \
    -o ServerAliveInterval=15 -o ServerAliveCountMax=4 \
    -o PermitLocalCommand=yes -o LocalCommand="rm -f '$outside'" \
    "$user@$host" "$program" "$@" || status=$?
  if [ "$status" -eq 255 ]; then
    [ ! -e "$outside" ] || explain "$host" "$port" "$known_hosts" "$user"
    printf '%s.sh: error: the connection to %s was lost; what began there goes on: ask with scripts/rollback.sh ... -- --status\n' \
      "$program" "$host" >&2
  fi
  exit "$status"
}
