# shellcheck shell=bash disable=SC2154
# Sourced by scripts/setup: Go, and what is built with it. What it calls and sets is scripts/setup's.

readonly go_toolchain=go1.25.0

# go_command: a Go that is 1.21 or newer, the first that can fetch the toolchain it is told to.
go_command() {
  local candidate
  for candidate in go /usr/local/go/bin/go "$cache"/go/usr/lib/go-*/bin/go /usr/lib/go-*/bin/go; do
    candidate=$(command -v "$candidate") || continue
    [[ $(GOTOOLCHAIN=local "$candidate" env GOVERSION) =~ ^go1\.(2[1-9]|[3-9][0-9]) ]] || continue
    echo "$candidate"
    return
  done
  return 1
}

want_go() {
  case $(release) in
    debian-12) debian_13_part; [[ " ${extra[*]} " == *" go_from_debian_13 "* ]] || extra+=(go_from_debian_13) ;;
    *) packages+=(golang-1.22-go) ;;
  esac
}

go_from_debian_13() { from_debian_13 "$cache/go" golang-1.24-go golang-1.24-src; }

# tool_from_go NAME MODULE [PACKAGE]: /usr/local/bin/NAME, a link to a folder named by the version in go-tools/go.mod.
tool_from_go() {
  commands+=("$1")
  set -- "$1" "$2${3:+/$3}@$(awk -v module="$2" '$1 == module && $2 ~ /^v/ { print $2 }' "$(dirname "$0")/lib/go-tools/go.mod")"
  [[ " ${side_by_side[*]} " == *" install_from_go $1 "* ]] && return
  [[ $(readlink "$bin/$1") == "$cache/tools/$1-${2#*@}/$1" && -x $bin/$1 ]] && return
  go_command >/dev/null || want_go
  side_by_side+=("install_from_go $1 $2")
}

install_from_go() {
  local folder=$cache/tools/$1-${2#*@}
  with_go GOBIN="$folder" go install "$2"
  as_root ln -sfn "$folder/$1" "$bin/$1"
}

# with_go [NAME=VALUE]... COMMAND...: with a Go on the PATH that is new enough, and caches that go once all is installed:
# with this run, or, named by go_caches, with the one that gets to the end.
with_go() {
  local go toolchain=local
  go=$(go_command) || { say "no Go 1.21 or newer to build with"; return 1; }
  [[ $("$go" env GOVERSION) =~ ^go1\.(2[1-4])(\.|$) ]] && toolchain=$go_toolchain
  as_root env GOPATH="$cache/gopath.${go_caches:-$$}" GOCACHE="$cache/gobuild.${go_caches:-$$}" GOFLAGS= GOTOOLCHAIN="$toolchain" \
    PATH="$(dirname "$go"):$PATH" "$@"
}

# The collector of lib/otelcol.yaml, by the builder of its version.
install_collector() {
  local folder=$1 recipe version
  recipe=$(dirname "$0")/lib/otelcol.yaml
  version=$(sed -n 's/^  version: //p' "$recipe")
  with_go GOBIN="$folder/builder" go install "go.opentelemetry.io/collector/cmd/builder@v$version"
  as_root sed "s|^dist:|&\n  output_path: $folder/build|" "$recipe" | as_root tee "$folder/recipe.yaml" >/dev/null
  with_go "$folder/builder/builder" --config "$folder/recipe.yaml"
  as_root mv "$folder/build/otelcol" "$folder/otelcol"
  as_root rm -r "$folder/build" "$folder/builder"
  as_root ln -sfn "$folder/otelcol" "$bin/otelcol"
}
