# SPDX-License-Identifier: BSD-2-Clause
# bash completion for oomwitness. The commands and options are what the program's own --help lists.

_oomwitness_commands() {
  "$1" --help 2>/dev/null | sed -n '/^Subcommands:/,/^[A-Z]/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

_oomwitness_options() {
  "$@" --help 2>/dev/null | grep -oE '(^| |,)--?[a-z][a-z-]*' | tr -d ' ,' | sort -u
}

_oomwitness() {
  local word=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} command='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    # What follows is another program's.
    if [ "${COMP_WORDS[i]}" = -- ]; then
      compopt -o default
      return
    fi
    if [ -z "$command" ] && [[ ${COMP_WORDS[i]} != -* ]]; then command=${COMP_WORDS[i]}; fi
  done
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_oomwitness_options "$program" $command)" -- "$word")
  elif [ -z "$command" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_oomwitness_commands "$program")" -- "$word")
  else
    compopt -o default
  fi
}

complete -F _oomwitness oomwitness
