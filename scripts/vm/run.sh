#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/vm/run.sh --kernel NAME [options] -- COMMAND [ARG...]
#
# Boots a Debian kernel under QEMU (software emulation), runs a static program in it as root and
# exits with that program's code. The kernels are in scripts/vm/kernels.txt.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
# shellcheck source=scripts/vm/splat.sh
. "$OW_ROOT/scripts/vm/splat.sh"

usage() {
  cat <<'TEXT'
usage: scripts/vm/run.sh --kernel NAME [options] -- COMMAND [ARG...]
  --arch amd64|arm64   the guest's architecture (amd64)
  --cgroup v1|v2       how /sys/fs/cgroup is mounted (v2)
  --memory SIZE        the guest's RAM (512M)
  --cpus N             the guest's CPUs (1)
  --nodes N            the guest's NUMA nodes, of equal size; the first has the CPUs (1)
  --system CPIO        boot this Debian with its systemd instead (scripts/vm/debian.sh makes one)
  --append ARGS        more kernel arguments
  --qemu ARGS          more QEMU arguments
  --payload DIR        copied to /payload, the command's working folder and first in its PATH
  --env NAME=VALUE     the command's environment, any number of times
  --out DIR            gets what the command left in the guest's /out, dmesg.txt and console.log
  --timeout SECONDS    wall-clock limit of the guest (300)
  --quiet              do not print what the command printed
exit: COMMAND's code; 70 the kernel complained, 71 the guest never came up, 72 it hung or died
TEXT
}

readonly KERNEL_SPLAT=70 NEVER_UP=71 GUEST_LOST=72 ATTEMPTS=3
kernel='' arch=amd64 cgroup=v2 memory=512M cpus=1 nodes=1 system='' append='' more='' payload='' out='' limit=300 quiet=''
environment=()
while [ $# -gt 0 ]; do
  case $1 in
    --kernel) kernel=$2 ;;
    --arch) arch=$(debian_arch "$2") ;;
    --cgroup) cgroup=$2 ;;
    --memory) memory=$2 ;;
    --cpus) cpus=$2 ;;
    --nodes) nodes=$2 ;;
    --system) system=$2 ;;
    --append) append=$2 ;;
    --qemu) more=$2 ;;
    --payload) payload=$2 ;;
    --env) environment+=("$2") ;;
    --out) out=$2 ;;
    --timeout) limit=$2 ;;
    --quiet) quiet=yes && shift && continue ;;
    --help) usage && exit ;;
    --) shift && break ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift 2 || { usage >&2 && exit 2; }
done
if [ -z "$kernel" ] || [ $# -eq 0 ] || [[ ! $cgroup =~ ^v[12]$ ]]; then
  usage >&2
  exit 2
fi

# quoted WORD...: the words as any POSIX shell reads them back.
quoted() {
  local word
  for word in "$@"; do printf "'%s' " "${word//\'/\'\\\'\'}"; done
}

# add_service ROOT: systemd starts the command once everything else is up. Of the kernel's own base
# only the modules are wanted.
add_service() {
  local units=$1/etc/systemd/system
  mkdir -p "$units/multi-user.target.wants"
  install -m 755 "$OW_ROOT/scripts/vm/service" "$1/guest/service"
  install -m 644 "$OW_ROOT/scripts/vm/guest.service" "$units/guest.service"
  ln -s ../guest.service "$units/multi-user.target.wants/guest.service"
  (cd "$1" && cpio --quiet -id 'modules/*' <"$image/base.cpio")
  append+=" rdinit=/usr/lib/systemd/systemd systemd.unit=multi-user.target systemd.show_status=0 systemd.getty_auto=no"
  if [ "$cgroup" = v1 ]; then append+=" systemd.unified_cgroup_hierarchy=0"; fi
}

# What differs from run to run goes into a second cpio, which the kernel unpacks over the first.
make_initrd() {
  local root=$OW_TMP/root variable
  mkdir -p "$root/guest" "$root/payload"
  if [ -n "$system" ]; then
    add_service "$root"
  else
    install -m 755 "$OW_ROOT/scripts/vm/init" "$root/init"
  fi
  {
    echo "OW_NONCE=$nonce"
    echo "OW_CGROUP=$cgroup"
    echo "OW_LIMIT=$guest_limit"
  } >"$root/guest/settings"
  {
    for variable in "${environment[@]}"; do
      echo "export ${variable%%=*}=$(quoted "${variable#*=}")"
    done
    echo "exec $(quoted "$@")"
  } >"$root/guest/command"
  if [ -n "$payload" ]; then cp -R "$payload/." "$root/payload/"; fi
  cp "${system:-$image/base.cpio}" "$OW_TMP/initrd"
  (cd "$root" && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) >>"$OW_TMP/initrd"
}

# Without cx16: QEMU 7.2 leaves garbage in EFLAGS when an interrupt follows an emulated CMPXCHG16B,
# and 6.12's slab allocator, which uses it where there is one, dies of that in every fourth boot.
qemu_command() {
  local console
  case $arch in
    amd64) qemu=(qemu-system-x86_64 -M pc -cpu 'max,-cx16') && console=ttyS0 ;;
    arm64) qemu=(qemu-system-aarch64 -M virt -cpu cortex-a57) && console=ttyAMA0 ;;
  esac
  command -v "${qemu[0]}" >/dev/null || die "${qemu[0]} is not installed" \
    "apt-get install qemu-system-x86 qemu-system-arm"
  # shellcheck disable=SC2054  # the commas are QEMU's
  # log_buf_len: hundreds of OOM reports must still be in dmesg at the end.
  qemu+=(-accel tcg -nodefaults -no-reboot -display none -monitor none -m "$memory" -smp "$cpus"
    -kernel "$image/vmlinuz" -initrd "$OW_TMP/initrd"
    -append "console=$console loglevel=3 panic=-1 log_buf_len=4M $append"
    -drive "file=$OW_TMP/disk,if=none,id=out,format=raw,cache=unsafe"
    -device virtio-blk-pci,drive=out -serial "file:$OW_TMP/serial")
  # shellcheck disable=SC2206  # words, as the caller wrote them
  qemu+=($more)
}

# Several NUMA nodes of $memory in all; the CPUs stay on the first one.
numa_arguments() {
  local node size
  size=$(($(numfmt --from=iec "$memory") / nodes))
  for node in $(seq 0 $((nodes - 1))); do
    qemu+=(-object "memory-backend-ram,id=node$node,size=$size"
      -numa "node,nodeid=$node,memdev=node$node$([ "$node" != 0 ] || echo ",cpus=0-$((cpus - 1))")")
  done
}

# One boot. The host's limit is the last resort: the guest ends its command before that.
boot() {
  local began=$EPOCHREALTIME
  rm -f "$OW_TMP/disk" "$OW_TMP/serial"
  truncate -s 512M "$OW_TMP/disk"
  timeout -s KILL "$limit" "${qemu[@]}" </dev/null >"$OW_TMP/qemu" 2>&1 || true
  tr -d '\r' <"$OW_TMP/serial" >"$OW_TMP/console" || : >"$OW_TMP/console"
  elapsed=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
}

# marker WORD: what follows the word in the guest's report; fails when it never reported that.
marker() { sed -n "s/^@@$nonce $1 *//p" "$OW_TMP/console" | head -n 1 | grep -a .; }

collect() {
  cp "$OW_TMP/console" "$out/console.log"
  if grep -aqx "@@$nonce out" "$OW_TMP/console"; then
    tar -xf "$OW_TMP/disk" -C "$out" --no-same-owner
  fi
}


# Until the command has begun, at most ATTEMPTS times; sets `release` when it has.
boot_until_started() {
  for attempt in $(seq "$ATTEMPTS"); do
    boot
    if release=$(marker start); then break; fi
    if refusal=$(marker cannot); then
      collect
      die "$guest: $refusal" "choose another kernel or --cgroup"
    fi
    # Emulated CPUs sometimes trip over the kernel's self-modifying code while booting.
    say "$guest: attempt $attempt of $ATTEMPTS never reached its command ($elapsed s)"
    tail -n 15 "$OW_TMP/console" "$OW_TMP/qemu" >&2
  done
}

# Judges the guest by what it left, and exits with the command's code.
report() {
  local code logs=("$out/console.log")
  collect
  if [ -z "${release:-}" ]; then
    say "$guest: never came up in $ATTEMPTS attempts; see $out/console.log"
    exit "$NEVER_UP"
  fi

  if [ -z "$quiet" ]; then
    sed -e "1,/^@@$nonce start/d" -e "/^@@$nonce exit/,\$d" "$OW_TMP/console"
  fi
  if [ -e "$out/dmesg.txt" ]; then logs+=("$out/dmesg.txt"); fi
  if splats "${logs[@]}" >"$OW_TMP/splats"; then
    say "$guest ($release): the kernel complained:"
    head -n 60 "$OW_TMP/splats" >&2
    exit "$KERNEL_SPLAT"
  fi
  if ! code=$(marker exit) || [ ! -e "$out/dmesg.txt" ]; then
    say "$guest ($release): ended or hung after $elapsed s without reporting back; last lines:"
    tail -n 30 "$OW_TMP/console" >&2
    exit "$GUEST_LOST"
  fi
  if [ "$code" = 137 ] && [ "${elapsed%.*}" -ge "$guest_limit" ]; then
    say "$guest ($release): ended at its limit of $guest_limit s"
  fi
  say "$guest ($release): exit code $code after $elapsed s, attempt $attempt"
  exit "$code"
}

main() {
  need_tmp
  image=$("$OW_ROOT/scripts/vm/image.sh" "$kernel" "$arch")
  out=${out:-$OW_TMP/out}
  mkdir -p "$out"
  nonce=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
  guest="kernel $kernel $arch, cgroup $cgroup"
  guest_limit=$((limit > 40 ? limit - 20 : limit / 2))
  make_initrd "$@"
  qemu_command
  if [ "$nodes" -gt 1 ]; then numa_arguments; fi
  boot_until_started
  report
}

# All in functions: bash reads a script while it runs, and a guest runs long enough to be edited.
main "$@"
