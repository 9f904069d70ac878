#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/package/completions.sh OOMWITNESS: what bash offers is what the program has.
set -euo pipefail
program=${1:?usage: completions.sh OOMWITNESS}
# shellcheck source=packaging/completions/oomwitness.bash
. "$(dirname "${BASH_SOURCE[0]}")/../../packaging/completions/oomwitness.bash"
# Outside of a completion there is nothing to set.
compopt() { :; }

# offers WORD...: what is offered for the last word.
offers() {
  COMP_WORDS=("$program" "$@")
  COMP_CWORD=$#
  _oomwitness
  printf '%s ' "${COMPREPLY[@]}"
}

# expect WANTED WORD...
expect() {
  local wanted=$1 got
  shift
  got=$(offers "$@")
  if [[ " $got" != *" $wanted "* ]]; then
    echo "'$*' offers '$got', without $wanted"
    exit 1
  fi
}

for command in trace analyze explain doctor; do expect "$command" ''; done
expect trace tr
expect --settle trace --se
expect --journal analyze --
[ -z "$(offers run -- ls --al | tr -d ' ')" ] || { echo "options of another program's command"; exit 1; }
for shell in zsh fish; do
  if ! command -v "$shell" >/dev/null; then echo "not checked: $shell is not installed"; fi
done
