#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# small_host_guest.sh KILLS: runs in a guest, as root, with busybox alone. The host runs out of memory
# KILLS times; the agent must live through all of them and store each once.
kills=$1
failed=0
store=/out/store/incidents.db

# expect TITLE WANTED GOT
expect() {
  if [ "$2" = "$3" ]; then
    echo "ok: $1: $3"
  else
    echo "FAILED: $1: $3 instead of $2"
    failed=$((failed + 1))
  fi
}
memory() { grep -E '^(VmRSS|RssAnon|VmHWM)' "/proc/$agent/status" | tr -s '\t ' ' ' | tr '\n' ' '; }
counted() { sed -n 's/^oom_kill //p' /proc/vmstat; }
history() { oomwitness-history --json --limit 1000 --store "$store"; }

# The host's loader and libraries, where programs look for them.
mkdir -p /lib64 /lib /out/store
for loader in /payload/lib/ld-linux*; do ln -s "$loader" /lib64/ && ln -s "$loader" /lib/; done
ln -s /payload/lib "/lib/$(uname -m)-linux-gnu"
# Only what is provoked may die.
echo -1000 >/proc/self/oom_score_adj

printf '[store]\npath = "%s"\n' "$store" >/tmp/agent.toml
oomwitness-agent --config /tmp/agent.toml 2>/out/agent.txt &
agent=$!
tries=0
until grep -q watching: /out/agent.txt || [ "$tries" -ge 120 ]; do tries=$((tries + 1)) && sleep 0.5; done
expect 'the agent watches' 1 "$(grep -c watching: /out/agent.txt)"
expect 'its oom_score_adj' -900 "$(cat "/proc/$agent/oom_score_adj")"

{
  grep -E '^(MemTotal|MemAvailable)' /proc/meminfo
  echo "agent before: $(memory)"
} >/out/figures.txt
before=$(counted)
victims=0
while [ "$victims" -lt "$kills" ]; do
  victims=$((victims + 1))
  provoke adj=1000 alloc=max go=1 >/dev/null
done 2>/dev/null  # the shell tells of each death
expect 'kills that the kernel counted' "$kills" "$(($(counted) - before))"

tries=0
until [ "$(history | wc -l)" = "$kills" ] || [ "$tries" -ge 60 ]; do tries=$((tries + 1)) && sleep 0.5; done
echo "agent after:  $(memory)" >>/out/figures.txt
history >/out/incidents.json
expect 'incidents stored' "$kills" "$(wc -l </out/incidents.json)"
expect 'of them for want of memory on the host' "$kills" "$(grep -c '"constraint":"none"' /out/incidents.json)"
expect 'victims that differ' "$kills" "$(sed 's/.*"victims":\[{"pid":\([0-9]*\),.*/\1/' /out/incidents.json | sort -u | wc -l)"
expect 'incidents with the memory of the host' "$kills" "$(grep -c '"meminfo":{"' /out/incidents.json)"
expect 'the agent that began' "$agent" "$(pidof oomwitness-agent)"
kill "$agent"
wait "$agent"
expect 'its exit code' 0 $?
expect 'warnings of losses' 0 "$(grep -c -E 'lost|overwritten|wait in memory' /out/agent.txt)"
cat /out/figures.txt
if [ "$failed" != 0 ]; then cat /out/agent.txt; fi
exit "$((failed > 0))"
