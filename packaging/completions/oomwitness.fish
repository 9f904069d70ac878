# SPDX-License-Identifier: BSD-2-Clause
# fish completion for oomwitness. The commands and options are what the program's own --help lists.

function __oomwitness_commands
    oomwitness --help 2>/dev/null | string match -rg '^  ([a-z][a-z-]*)  +(.*)' | paste -d '\t' - -
end

function __oomwitness_options
    set -l words (commandline -opc)
    set -l command (string match -r '^[a-z].*' -- $words[2..-1])[1]
    oomwitness $command --help 2>/dev/null | string match -rag -- '(--[a-z][a-z-]*)' | sort -u
end

complete -c oomwitness -n __fish_use_subcommand -f -a '(__oomwitness_commands)'
complete -c oomwitness -n 'string match -q -- "-*" (commandline -ct)' -f -a '(__oomwitness_options)'
