#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs in a guest with systemd, as root: `oomwitness run` and `fit` as a normal user, whose manager has
# delegated cgroups; in a service of the user's own; in a cgroup that nobody may write; then as root in a
# unit. One line a check; the exit code counts those that failed.
# shellcheck disable=SC2317  # the functions below are called by name
# shellcheck disable=SC2086  # $limited is several words
failed=0

# expect TITLE CODE TEXT COMMAND...: the exit code, and what must be in the output.
expect() {
  title=$1 code=$2 text=$3
  shift 3
  "$@" >/tmp/said 2>&1
  got=$?
  if [ "$got" = "$code" ] && grep -q -- "$text" /tmp/said; then
    echo "ok: $title"
  else
    echo "FAILED: $title: exit code $got, expected $code and '$text'"
    tail -n 25 /tmp/said
    failed=$((failed + 1))
  fi
}

nothing_left() { ! find /sys/fs/cgroup -name 'oomwitness-*' | grep . && echo nothing; }

useradd -m worker
uid=$(id -u worker)
mkdir -p /srv/ow
cp /payload/oomwitness /payload/provoke /srv/ow/
chmod -R a+rX /srv/ow
loginctl enable-linger worker
tries=0
until [ -S "/run/user/$uid/systemd/private" ] || [ "$tries" -gt 300 ]; do
  tries=$((tries + 1))
  sleep 0.2
done

as_worker() { setpriv --reuid "$uid" --regid "$uid" --init-groups env HOME=/home/worker "$@"; }
in_user_unit() {
  as_worker XDG_RUNTIME_DIR="/run/user/$uid" systemd-run --user --quiet --wait --pipe --property=Delegate=yes "$@"
}
ow=/srv/ow/oomwitness
hog='/srv/ow/provoke adj=1000 go=1 alloc=max </dev/null >/dev/null || true'
limited="$ow run --memory-max 32M --swap-max 0 --"

expect 'a user, by the user manager' 137 '(systemd)' as_worker $limited sh -c "$hog"
expect 'a user: exit codes are kept' 3 'failure' as_worker $limited sh -c 'exit 3'
expect 'a user, in a delegated service of its own' 137 '(new)' in_user_unit $limited sh -c "$hog"
as_nobody() { setpriv --reuid nobody --regid nogroup --clear-groups "$@"; }
expect 'a user without a manager: no limit' 125 'hint:' as_nobody $ow run --memory-max 32M -- true
expect 'a user without a manager: watched all the same' 0 '(own)' as_nobody $ow run -- true
expect 'fit as a user' 0 'MemoryMax=' as_worker $ow fit -- sh -c '/srv/ow/provoke go=1 alloc=40 </dev/null >/dev/null'
expect 'root in a unit with other processes' 137 '(systemd)' $limited sh -c "$hog"
expect 'root in a service of its own' 137 '(new)' \
  systemd-run --quiet --wait --pipe --property=Delegate=yes $limited sh -c "$hog"
expect 'no cgroup is left' 0 nothing nothing_left
exit "$failed"
