#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Makes a recording of tests/data/recordings inside a guest (scripts/vm/run.sh), from a static build:
#
#   mkdir payload && cp BUILD/oomwitness BUILD/provoke tests/cli/record.sh payload
#   scripts/vm/run.sh --kernel 6.12 --cgroup v2 --payload payload --out out -- sh /payload/record.sh
#
# Two kills in one memory cgroup of 48 MiB; the recording is out/session.owrec.
set -eu

root=/sys/fs/cgroup
limit_file=memory.max
if [ -d "$root/memory" ]; then
  root=$root/memory
  limit_file=memory.limit_in_bytes
fi
slice=$root/app.slice
box=$slice/db.service
mkdir -p "$slice"
if [ -e "$slice/cgroup.subtree_control" ]; then echo +memory >"$slice/cgroup.subtree_control"; fi
mkdir -p "$box"
echo 48M >"$box/$limit_file"

mkfifo /tmp/said /tmp/wrote /tmp/idle /tmp/idle_said
# Emulated guests are slow: without the long wait the reports would come in parts.
oomwitness trace --record /out/session.owrec --json --settle 30s >/tmp/wrote 2>/tmp/said &
tracer=$!
exec 6</tmp/wrote 3</tmp/said
while read -r line <&3; do
  echo "$line"
  case $line in ready:*) break ;; esac
done
cat <&3 &

# The limit's own user, with an argument that must be masked.
OW_PROVOKE="join=$box/cgroup.procs adj=1000 comm=6d6f6e676f64 alloc=max go=1" \
  provoke --config /etc/db.conf --password=hunter2 </dev/null || echo "first victim: $?"

# A bystander with a hostile name dies for what its neighbour asks.
OW_PROVOKE="join=$box/cgroup.procs adj=1000 comm=1b5b33316dff before=24" \
  provoke "$(printf '\033]0;title\007\377')" </tmp/idle >/tmp/idle_said &
exec 4>/tmp/idle 5</tmp/idle_said
read -r line <&5
echo "bystander: $line"
OW_PROVOKE="join=$box/cgroup.procs adj=-1000 comm=61736b6572 alloc=36 go=1" \
  provoke --batch </dev/null

reports=0
while [ "$reports" -lt 2 ] && read -r line <&6; do
  printf '%s\n' "$line" >>/out/live.json
  case $line in *'"revision":0,'*) reports=$((reports + 1)) ;; esac
done
kill -INT "$tracer"
cat <&6 >>/out/live.json
wait "$tracer"
oomwitness trace --replay /out/session.owrec --json >/tmp/again.json
cmp /out/live.json /tmp/again.json
