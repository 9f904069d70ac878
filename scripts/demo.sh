#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/demo.sh
#
# Installs what is missing, builds, starts the tracer, provokes one real OOM kill in a throw-away
# memory cgroup and prints its report. Needs root. What is killed is a program of our own, with
# oom_score_adj 1000, in a cgroup of 32 MiB: nothing else on the host can be hit.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$OW_ROOT/scripts/lib/packages.sh"
# shellcheck source=scripts/lib/build.sh
. "$OW_ROOT/scripts/lib/build.sh"

readonly LIMIT=32M READY_SECONDS=60 REPORT_SECONDS=60
cgroup='' tracer_pid=''

# Where a memory cgroup can be made: the mount point, and v1 or v2.
memory_hierarchy() {
  local place
  place=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/mounts)
  if [ -n "$place" ]; then echo "$place v1" && return; fi
  place=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
  if [ -n "$place" ] && grep -qw memory "$place/cgroup.controllers"; then echo "$place v2" && return; fi
  die "no memory cgroup hierarchy is mounted" "mount -t cgroup2 cgroup2 /sys/fs/cgroup"
}

make_cgroup() {
  local place version
  read -r place version < <(memory_hierarchy)
  cgroup=$place/oomwitness-demo-$$
  if [ "$version" = v2 ] && ! grep -qw memory "$place/cgroup.subtree_control"; then
    echo +memory >"$place/cgroup.subtree_control"
  fi
  mkdir "$cgroup" || die "the cgroup $cgroup could not be made" "run as root"
  if [ "$version" = v2 ]; then
    echo "$LIMIT" >"$cgroup/memory.max"
    if [ -e "$cgroup/memory.swap.max" ]; then echo 0 >"$cgroup/memory.swap.max"; fi
  else
    echo "$LIMIT" >"$cgroup/memory.limit_in_bytes"
    echo 0 >"$cgroup/memory.swappiness"
  fi
}

start_tracer() {
  mkfifo "$OW_TMP/stderr"
  timeout "$REPORT_SECONDS" "$tracer" trace --count 1 >"$OW_TMP/report" 2>"$OW_TMP/stderr" &
  tracer_pid=$!
  exec {tracer_says}<"$OW_TMP/stderr"
  local line=''
  while read -r -t "$READY_SECONDS" -u "$tracer_says" line; do
    note "$line"
    if [[ $line == ready:* ]]; then
      # Whatever else it has to say must not stop it at a full pipe.
      cat <&"$tracer_says" >&2 &
      return
    fi
  done
  die "the tracer did not get ready" "its reasons are above; '$tracer doctor' names each hook"
}

clean_up() {
  if [ -n "$tracer_pid" ]; then kill "$tracer_pid" 2>/dev/null || true; fi
  if [ -d "$cgroup" ]; then rmdir "$cgroup"; fi
}

[ "$(id -u)" = 0 ] || die "tracing and making cgroups need root" "sudo scripts/demo.sh"
ensure_packages build agent
build release oomwitness provoke
tracer=$(built release oomwitness)
provoker=$(built release provoke)
need_tmp
OW_CLEANUP+=(clean_up)

say "making a cgroup of $LIMIT"
make_cgroup
say "starting: oomwitness trace --count 1"
start_tracer
say "provoking an OOM kill in $cgroup"
"$provoker" "join=$cgroup/cgroup.procs" adj=1000 alloc=max go=1 >/dev/null &
# The shell would comment on the kill in between.
if wait $! 2>/dev/null; then
  die "the provoker ended by itself: there was no OOM kill" "is memory accounting on? cat $cgroup/memory.*"
fi
wait "$tracer_pid" || die "the tracer saw no kill within $REPORT_SECONDS s, or failed" "see above"
tracer_pid=''
say "its report"
cat "$OW_TMP/report"
