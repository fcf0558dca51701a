# shellcheck shell=bash
# Completion of deploy, rollback, packet_bench, slipway and connector, loaded by bash-completion by the name of each: flags and
# subcommands are what --help says now, so that they cannot fall behind.

_slipway_tools() {
  # shellcheck disable=SC2034  # _init_completion sets all four
  local cur prev words cword
  _init_completion || return
  if [[ $cur == -* ]]; then
    # A subcommand has a --help of its own.
    local command=()
    [[ $cword -gt 1 && ${words[1]} == [a-z]* && $1 =~ (packet_bench|slipway)$ ]] && command=("${words[1]}")
    mapfile -t COMPREPLY < <(compgen -W "$(_parse_help "$1" "${command[*]} --help")" -- "$cur")
  elif [[ $cword -eq 1 && $1 =~ (packet_bench|slipway)$ ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$("$1" --help | sed -n 's/^  \([a-z][a-z-]*\)   *[^ ].*/\1/p')" -- "$cur")
  else
    _filedir
  fi
}
complete -F _slipway_tools deploy rollback packet_bench slipway connector
