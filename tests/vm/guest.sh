#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/vm/guest.sh KERNEL ARCH CGROUP BUILD OUT
#
# Runs the live tests of the static build in BUILD inside a guest; what they wrote ends up in OUT.
# A run that passed is kept in the cache: as long as neither the programs, nor the kernel, nor these
# scripts change, the guest is not booted again. OOMWITNESS_ALL=1 and CI boot it all the same.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
# shellcheck source=scripts/lib/kept.sh
. "$OW_ROOT/scripts/lib/kept.sh"

readonly SKIPPED=77
kernel=${1:?} arch=${2:?} cgroup=${3:?} build=${4:?} out=${5:?}
programs=(oomwitness live_tests provoke)
options=(--memory 512M --cpus 1 --nodes 2 --timeout "${OOMWITNESS_GUEST_SECONDS:-900}")
environment=(OOMWITNESS_GUEST=1 OOMWITNESS_BIN=/payload/oomwitness
  OOMWITNESS_PROVOKE=/payload/provoke OOMWITNESS_INCIDENTS=/out/incidents)

stage_payload() {
  local program file strip=strip
  if [ "$arch" = arm64 ]; then strip=aarch64-linux-gnu-strip; fi
  mkdir -p "$OW_TMP/payload"
  for program in "${programs[@]}"; do
    file=$(find "$build" -name "$program" -type f -executable -print -quit 2>/dev/null || true)
    [ -n "$file" ] || die "$program is not built in $build" \
      "'scripts/test.sh --label vm' builds it, or: cmake --build $build --target $program"
    "$strip" -o "$OW_TMP/payload/$program" "$file"
  done
}

case $arch in
  amd64) qemu='qemu-system-x86_64' ;;
  arm64) qemu='qemu-system-aarch64' ;;
esac
if ! command -v "$qemu" >/dev/null; then
  echo "skipped: $qemu is not installed"
  exit "$SKIPPED"
fi

need_tmp
stage_payload
image=$("$OW_ROOT/scripts/vm/image.sh" "$kernel" "$arch")
name=$kernel-$arch-$cgroup
key=$(hash_of "$OW_TMP"/payload/* "$image/packages" "$OW_ROOT"/scripts/vm/{run.sh,init,splat.sh} \
  "$OW_ROOT/tests/vm/guest.sh")
if kept_result "$name" "$key" "$out"; then exit; fi

variables=()
for variable in "${environment[@]}"; do variables+=(--env "$variable"); done
command=('mkdir -p /out/incidents; exec live_tests --gtest_output=xml:/out/live_tests.xml "$@"')
"$OW_ROOT/scripts/vm/run.sh" --kernel "$kernel" --arch "$arch" --cgroup "$cgroup" "${options[@]}" \
  "${variables[@]}" --payload "$OW_TMP/payload" --out "$out" -- sh -c "${command[@]}" live_tests
keep_result "$name" "$key" "$out"
