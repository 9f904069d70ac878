#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/vmlinux.sh
#
# Makes vmlinux/*/vmlinux.h again: boots each guest kernel once for its BTF and takes from it what
# bpf/ uses. Run it when a BPF program needs a type, a member or a constant that is not there yet.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$OW_ROOT/scripts/lib/packages.sh"

# The newest kernel first: an older one is asked only for what is gone from it.
KERNELS=(sid-amd64 6.12-amd64 6.12-arm64 6.1-amd64 6.1-arm64 5.10-amd64)

# btf_of KERNEL-ARCH: prints "<release>=<file>"; boots the guest when its packages are new.
btf_of() {
  local kernel=${1%-*} arch=${1##*-} image dir
  image=$("$OW_ROOT/scripts/vm/image.sh" "$kernel" "$arch")
  dir=$OW_CACHE/vmlinux/$1
  if ! cmp -s "$image/packages" "$dir/packages"; then
    rm -rf "$dir"
    mkdir -p "$dir"
    "$OW_ROOT/scripts/vm/run.sh" --kernel "$kernel" --arch "$arch" --out "$dir" --quiet -- \
      sh -c 'cp /sys/kernel/btf/vmlinux /out/btf && uname -r >/out/release'
    cp "$image/packages" "$dir/packages"
  fi
  echo "$(cat "$dir/release")=$dir/btf"
}

# make_header PROCESSOR TARGET_ARCH DEBIAN_ARCH
make_header() {
  local own=() other=() name found
  for name in "${KERNELS[@]}"; do
    found=$(btf_of "$name")
    if [ "${name##*-}" = "$3" ]; then own+=("$found"); else other+=("$found"); fi
  done
  say "vmlinux/$1/vmlinux.h"
  # Of another architecture only what no own kernel has: types are the same, registers are not.
  /usr/bin/python3 "$OW_ROOT/scripts/lib/vmlinux_header.py" "$OW_TMP/$1/vmlinux.h" \
    "$OW_ROOT/bpf/oomwitness.bpf.c" "${own[@]}" "${other[@]}" -- \
    "-D__TARGET_ARCH_$2" -I"$OW_ROOT/bpf" -isystem /usr/include
  mkdir -p "$OW_ROOT/vmlinux/$1"
  cp "$OW_TMP/$1/vmlinux.h" "$OW_ROOT/vmlinux/$1/vmlinux.h"
  note "$(wc -l <"$OW_ROOT/vmlinux/$1/vmlinux.h") lines"
}

ensure_packages build vm
need_tmp
make_header x86_64 x86 amd64
make_header aarch64 arm64 arm64
