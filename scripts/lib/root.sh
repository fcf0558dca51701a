# shellcheck shell=bash disable=SC2154
# Sourced, after shell.sh, by what runs in a root beside this machine's own distribution.

# $1 the root, $2 the folder to be in, then the folders that are seen inside, --, the command.
INSIDE='
set -e
root=$1 place=$2
shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
while [ "$1" != -- ]; do
  mkdir -p "$root$1"
  mount --rbind "$1" "$root$1"
  shift
done
shift
exec chroot "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh -c "cd \"\$0\" && exec \"\$@\"" "$place" "$@"'

# within ROOT COMMAND...: at this checkout's root. Checkout, temporary files and compiler cache are this machine's; what
# it starts ends with it.
within() {
  local root=$1 seen=()
  shift
  mapfile -t seen < <(printf '%s\n' "$slipway" "$(git rev-parse --path-format=absolute --git-common-dir)" \
    "$(realpath "${TMPDIR:-/tmp}")" "${CCACHE_DIR:-$HOME/.cache/ccache}" | sort -u)
  mkdir -p "${seen[@]}"
  CCACHE_DIR=${CCACHE_DIR:-$HOME/.cache/ccache} \
    unshare --mount --pid --fork --kill-child sh -c "$INSIDE" sh "$root" "$slipway" "${seen[@]}" -- "$@"
}

# root_with NAME SUITE GROUP: $root is a root of Debian SUITE that has what scripts/setup GROUP brings, made once per
# machine.
root_with() {
  [ "$EUID" -eq 0 ] || die 'making a root needs root' 2
  need arm64 debootstrap unshare
  root=${SLIPWAY_CACHE:-/var/cache/slipway}/images/root-$1
  mkdir -p "${root%/*}"
  exec 9>"$root.lock"
  flock 9
  [ -d "$root" ] || scripts/lab root "$root" "$2"
  within "$root" scripts/setup "$3" >&2 9>&-
  exec 9>&-
}
