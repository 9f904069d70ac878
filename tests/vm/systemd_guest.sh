#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs in a guest, as root, under systemd: installs the package, provokes kills, looks for them where
# they should be, upgrades, purges. One line a check; the exit code counts those that failed.
# shellcheck disable=SC2317  # the checks below are called by name
failed=0

# check TITLE COMMAND...: until it succeeds, 60 s at most.
check() {
  title=$1
  shift
  tries=0
  until "$@" >/tmp/said 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 120 ]; then
      echo "FAILED: $title"
      tail -n 20 /tmp/said
      failed=$((failed + 1))
      return 1
    fi
    sleep 0.5
  done
  echo "ok: $title"
}

# once TITLE COMMAND...: no second chance.
once() {
  title=$1
  shift
  if "$@" >/tmp/said 2>&1; then
    echo "ok: $title"
  else
    echo "FAILED: $title"
    tail -n 20 /tmp/said
    failed=$((failed + 1))
  fi
}

# kill_one NAME: a process of that name dies by its cgroup's limit.
kill_one() {
  hex=$(printf %s "$1" | od -An -tx1 | tr -d ' \n')
  systemd-run --quiet --scope --unit "$1.scope" -p MemoryMax=24M -p MemorySwapMax=0 \
    sh -c "echo 1000 >/proc/self/oom_score_adj; exec /payload/provoke comm=$hex alloc=max go=1" \
    >/dev/null 2>&1
}

stored() { [ "$(oomwitness history --json --comm "$1" | wc -l)" = "${2:-1}" ]; }
active() { systemctl is-active --quiet oomwitness.service; }
in_journal() { journalctl -o json -t oomwitness --no-pager | grep -F "$1"; }
# The catalog's text stands below the message.
explained() { journalctl -x -t oomwitness --no-pager | grep -F 'Documentation: man:oomwitness'; }

unprivileged() {
  pid=$(systemctl show -p MainPID --value oomwitness.service)
  [ "$(stat -c %U "/proc/$pid")" = oomwitness ] || ! echo "runs as $(stat -c %U "/proc/$pid")"
}
filtered() {
  pid=$(systemctl show -p MainPID --value oomwitness.service)
  grep -E '^(Seccomp|CapEff)' "/proc/$pid/status"
  grep -qE '^Seccomp:[[:space:]]+2' "/proc/$pid/status"
}
store_is_private() {
  rights=$(stat -c '%a %U' /var/lib/oomwitness/*.db)
  [ "$rights" = '640 oomwitness' ] || ! echo "$rights"
}

while_down() {
  systemctl stop oomwitness.service || return
  kill_one duringstop  # ends with the victim's code
  systemctl start oomwitness.service
}
after_sigkill() {
  systemctl kill --signal=KILL --kill-whom=main oomwitness.service
  kill_one aftersigkill
  true
}
# As if the machine had run under another boot id before: there the agent sees nothing and ends.
# The journal of that boot and of the one after it has a kill each (tests/data/journal), which
# nobody saw.
boot_before() {
  systemctl stop oomwitness.service
  echo 11111111-1111-1111-1111-111111111111 >/tmp/boot_id
  mount --bind /tmp/boot_id /proc/sys/kernel/random/boot_id
  oomwitness agent --config /etc/oomwitness/config.toml >/tmp/agent 2>&1 &
  tries=0
  until grep -q watching: /tmp/agent || [ "$tries" -ge 120 ]; do tries=$((tries + 1)) && sleep 0.5; done
  kill $!
  wait $! || { cat /tmp/agent && return 1; }
  umount /proc/sys/kernel/random/boot_id
  chown -R oomwitness: /var/lib/oomwitness
  folder=/var/log/journal/$(cat /etc/machine-id)
  mkdir -p "$folder"
  install -m 640 /payload/oom.journal "$folder/system@before.journal"
  systemctl start oomwitness.service
}

nothing_left() {
  left=$(find / -xdev \( -path /proc -o -path /sys -o -path /payload -o -path /tmp \
    -o -path /var/lib/dpkg -o -path /var/log -o -path /run -o -path /var/cache \) -prune -o -name '*oomwitness*' -print)
  if getent passwd oomwitness || getent group oomwitness; then return 1; fi
  [ -z "$left" ] || ! echo "$left"
}

export DEBIAN_FRONTEND=noninteractive
once 'the package installs' dpkg -i /payload/old.deb
check 'the service is up' active
once 'as a user of its own' unprivileged
once 'behind a seccomp filter' filtered
once 'exposure by systemd itself' sh -c 'systemd-analyze security --no-pager --threshold=25 oomwitness.service | tail -n 1'
tail -n 1 /tmp/said

once 'a boot before this one, without the agent at its end' boot_before
check 'the kills of both earlier boots are found in the journal' stored hog 2
once 'the agent that reads the journal is confined' filtered

kill_one firstvictim
check 'a kill is in the store' stored firstvictim
once 'the store is private' store_is_private
check 'a kill is in the journal, with fields' in_journal firstvictim
check 'the journal explains it' explained

once 'a kill while it was stopped' while_down
check 'is found after the start' stored duringstop
after_sigkill
check 'a kill after its SIGKILL is found by the next one' stored aftersigkill
once 'reload' systemctl reload oomwitness.service
once 'the upgrade installs' dpkg -i /payload/new.deb
check 'the service is up after the upgrade' active
once 'the store has kept what it had' stored firstvictim
once 'nothing is doubled' stored duringstop
once 'nor of earlier boots' stored hog 2

if [ "$failed" != 0 ]; then journalctl -u oomwitness.service --no-pager | tail -n 60; fi
once 'the package is removed' dpkg -r oomwitness
once 'and purged' dpkg -P oomwitness
once 'and nothing is left' nothing_left
journalctl -b --no-pager >/out/journal.txt
echo "$failed failed"
exit "$((failed > 0))"
