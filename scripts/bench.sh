#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/bench.sh [--kernel K]... [--measure M]... [--host | --log]
#
# Builds the static release, boots guests and takes every measure of docs/benchmarks.md in them, side
# by side with libbpf-tools' oomkill; or reads large logs on this machine. Prints the tables; the
# numbers end up in build/bench.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$OW_ROOT/scripts/lib/packages.sh"
# shellcheck source=scripts/lib/build.sh
. "$OW_ROOT/scripts/lib/build.sh"
# shellcheck source=scripts/lib/apt.sh
. "$OW_ROOT/scripts/lib/apt.sh"

usage() {
  cat <<'TEXT'
usage: scripts/bench.sh [--kernel K]... [--measure M]... [--host | --log]
  --kernel K    a guest's kernel from scripts/vm/kernels.txt (6.1 and 6.12); any number of times
  --measure M   only this one: startup, idle, storm, group, overhead, latency, candidates
  --host        latency on this machine instead, as root: real kills in a small throw-away cgroup
  --log         `analyze` on logs of up to 2 GiB, made in /var/tmp, on this machine
  --build DIR   a static build that is there already, instead of build/static
  --cpus N      CPUs of a guest (2)
  --clock C     host (default), or icount: the clock of a guest with one CPU counts its
                instructions, one a nanosecond, so that the load of this machine does not matter
  --timeout S   of a guest (3000); what was measured until then is kept
TEXT
}

MEASURES=(startup idle group storm latency overhead candidates)
# Debian 12's: what users of that release get.
PEER_SUITE=bookworm
PEER_PACKAGES=(libbpf-tools libc6 libelf1 zlib1g)
kernels=() chosen=() runs=() host='' log='' static='' cpus=2 clock=host limit=3000
while [ $# -gt 0 ]; do
  case $1 in
    --kernel) kernels+=("${2:?$(usage)}") && shift ;;
    --measure) chosen+=("${2:?$(usage)}") && shift ;;
    --host) host=yes ;;
    --log) log=yes ;;
    --build) static=${2:?$(usage)} && shift ;;
    --clock) clock=${2:?$(usage)} && shift ;;
    --timeout) limit=${2:?$(usage)} && shift ;;
    --cpus) cpus=${2:?$(usage)} && shift ;;
    --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done
if [ ${#kernels[@]} -eq 0 ]; then kernels=(6.1 6.12); fi
# Two CPUs would wait for each other in loops that count.
if [ "$clock" = icount ]; then cpus=1; fi
if [ ${#chosen[@]} -eq 0 ]; then chosen=("${MEASURES[@]}"); fi
OUT=$OW_ROOT/build/bench

# stage_peer DIR: oomkill and the shared libraries it names, the loader's folder included.
stage_peer() {
  local tree=$OW_TMP/peer deb name
  mkdir -p "$tree" "$1/lib"
  private_index "$PEER_SUITE" amd64
  fetch_debs "$PEER_SUITE" amd64 "${PEER_PACKAGES[@]}" >"$OW_TMP/debs"
  while read -r deb; do dpkg-deb -x "$deb" "$tree"; done <"$OW_TMP/debs"
  strip -o "$1/oomkill" "$tree/usr/sbin/oomkill"
  for name in $(readelf -d "$tree/usr/sbin/oomkill" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p') \
    ld-linux-x86-64.so.2; do
    cp -L "$(find "$tree" -name "$name" -print -quit)" "$1/lib/"
  done
  basename "$(grep /libbpf-tools_ "$OW_TMP/debs")" >"$OUT/peer"
}

stage_payload() {
  local program file
  mkdir -p "$1"
  for program in oomwitness bench; do
    file=$(find "$static" -name "$program" -type f -executable -print -quit)
    [ -n "$file" ] || die "$program is not built in $static" "leave out --build"
    strip -o "$1/$program" "$file"
  done
}

# The load of the machine that the guests share, every five seconds.
watch_load() {
  while :; do
    cut -d' ' -f1 /proc/loadavg >>"$1"
    sleep 5
  done
}

watcher=''
stop_watcher() {
  if [ -n "$watcher" ]; then kill "$watcher"; fi
  watcher=''
}
OW_CLEANUP+=(stop_watcher)

bench_guest() {
  local kernel=$1 dir=$OUT/$2 status=0 qemu=()
  if [ "$clock" = icount ]; then
    qemu=(--qemu '-icount shift=0,sleep=off' --env OOMWITNESS_BENCH_ROUNDS=3)
  fi
  rm -rf "$dir"
  mkdir -p "$dir"
  watch_load "$dir/load" &
  watcher=$!
  # The peer is started as on its own system: by the loader in /lib64.
  "$OW_ROOT/scripts/vm/run.sh" --kernel "$kernel" --memory 2G --cpus "$cpus" "${qemu[@]}" \
    --payload "$OW_TMP/payload" --out "$dir" --timeout "$limit" --env LD_LIBRARY_PATH=/payload/lib -- \
    sh -c 'ln -s /payload/lib /lib64
      exec bench /out/bench.json /payload/oomwitness /payload/oomkill -- "$@"' bench \
    "${chosen[@]}" >&2 || status=$?
  stop_watcher
  [ "$status" -eq 0 ] || note "the guest of $kernel ended with code $status"
}

# bench_host NAME [PREFIX...]
bench_host() {
  local dir=$OUT/$1
  shift
  mkdir -p "$dir"
  cut -d' ' -f1 /proc/loadavg >"$dir/load"
  # Ahead of what else runs here: the bar is for an idle host, and few machines are.
  "$@" chrt --fifo 10 "$OW_TMP/payload/bench" "$dir/bench.json" "$OW_TMP/payload/oomwitness" \
    -- latency >&2
}

# Where the decision cannot be hooked, an incident waits for the end of the log's report, which only
# silence tells. Without a log there is only the way from the ring to the pipe.
without_log() {
  unshare --mount sh -c 'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec "$@"' \
    sh "$@"
}

# The program with the shared C library: its memchr is the processor's own.
bench_log() {
  if [ -z "$static" ]; then build release oomwitness; fi
  TMPDIR=/var/tmp need_tmp # /tmp may be memory, and the page cache is what is measured
  /usr/bin/python3 "$OW_ROOT/scripts/lib/bench_log.py" \
    "${static:-$OW_ROOT/build/release}/user/cli/oomwitness" "$OW_ROOT/tests/data/kernlog" \
    "$OUT/log" --folder "$OW_TMP"
}

if [ -n "$log" ]; then
  ensure_packages build
  bench_log
  exit
fi
ensure_packages build vm
need_tmp
mkdir -p "$OUT"
if [ -z "$static" ]; then
  build static oomwitness bench
  static=$OW_ROOT/build/static
fi
stage_payload "$OW_TMP/payload"
if [ -n "$host" ]; then
  bench_host host
  bench_host host-without-log without_log
  runs=(host host-without-log)
else
  stage_peer "$OW_TMP/payload"
  for kernel in "${kernels[@]}"; do
    runs+=("$kernel-$clock")
    bench_guest "$kernel" "$kernel-$clock"
  done
fi
/usr/bin/python3 "$OW_ROOT/scripts/lib/bench_table.py" "$OUT" "${runs[@]}"
