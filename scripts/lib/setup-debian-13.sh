# shellcheck shell=bash disable=SC2154
# Sourced by scripts/setup: single packages of Debian 13 on Debian 12, unpacked beside the system, which stays as it is.
# What it calls and sets is scripts/setup's.

plugin_from_debian_13() {
  from_debian_13 "$cache/tools/docker-$1" "docker-$1"
  as_root mkdir -p "$cli_plugins"
  as_root ln -sfn "$cache/tools/docker-$1/usr/libexec/docker/cli-plugins/docker-$1" \
    "$cli_plugins/docker-$1"
}

# from_debian_13 FOLDER PACKAGE...
from_debian_13() {
  local apt=$cache/debian-13 folder=$1 mirror
  shift
  as_root mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/parts" "$folder"
  mirror=$(apt-get indextargets --format "\$(REPO_URI) \$(RELEASE)" "Identifier: Packages" |
    sed -n '/ bookworm$/{s///p;q}')
  [[ -n $mirror ]] || { say "no package source for bookworm; run apt-get update"; return 1; }
  as_root tee "$apt/sources.list" <<EOF >/dev/null
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main
EOF
  as_root tee "$apt/apt.conf" <<EOF >/dev/null
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "$apt/parts";
Dir::Etc::preferencesparts "$apt/parts";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt";
APT::Sandbox::User "root";
EOF
  [[ -n ${debian_13_listed:-} ]] || as_root env APT_CONFIG="$apt/apt.conf" apt-get update -qq
  debian_13_listed=yes
  (
    cd "$apt/archives" || exit
    as_root rm -f -- *.deb
    as_root env APT_CONFIG="$apt/apt.conf" apt-get download -qq "$@"
    local file
    for file in *.deb; do as_root dpkg -x "$file" "$folder"; done
  )
}
