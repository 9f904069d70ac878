# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What a kernel says when it is broken. An OOM report's own text (call traces, "Not tainted",
# "Out of memory") is none of it. Anchored behind the time stamp: a process may be called "BUG:".

SPLAT_WORDS=(
  'BUG:' 'WARNING:' 'Oops' 'kernel BUG at' 'Kernel panic' 'Internal error:'
  'general protection' '.*nable to handle (kernel|page fault)' 'stack segment:' 'double fault:'
  'rcu: INFO: rcu.*stall' 'INFO: (task|rcu).*(blocked|stall)' 'watchdog: BUG' 'NMI watchdog: Watchdog'
  'BUG: Bad page' 'refcount_t:' 'list_(add|del) corruption' 'KASAN:' 'UBSAN:' '.*KFENCE:'
  'DEBUG_LOCKS' '.*possible (recursive|circular|irq).*lock' '=+\[ cut here' '-+\[ cut here'
)

# splats FILE...: prints the telling lines, each with what follows; fails when there are none.
splats() {
  local joined
  joined=$(IFS='|' && echo "${SPLAT_WORDS[*]}")
  grep -a -h -E -A 12 "^(<[0-9]+>)?\[ *[0-9]+\.[0-9]+\] ($joined)" "$@"
}
