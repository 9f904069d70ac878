#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/vm/small_host.sh AGENT HISTORY STATIC OUT
#
# The agent on a host of 256 MiB that runs out of memory 100 times in a row: tests/vm/small_host_guest.sh
# says what is tried. AGENT and HISTORY are the dynamic programs, which take their libraries along;
# STATIC is the static build with the provoker. As with the other guests, a run that passed is kept
# in the cache as long as nothing in it changes.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
# shellcheck source=scripts/lib/kept.sh
. "$OW_ROOT/scripts/lib/kept.sh"

readonly SKIPPED=77 KERNEL=6.1 ARCH=amd64 MEMORY=256M KILLS=100
agent=${1:?} history=${2:?} static=${3:?} out=${4:?}
if ! command -v qemu-system-x86_64 >/dev/null; then
  echo 'skipped: qemu-system-x86_64 is not installed'
  exit "$SKIPPED"
fi
if [ "$(dpkg --print-architecture)" != "$ARCH" ]; then
  echo "skipped: the agent of this build is not for $ARCH"
  exit "$SKIPPED"
fi

# libraries PROGRAM...: the files that the loader takes for them, and the loader itself.
libraries() { ldd "$@" | grep -o '/[^ ]*\.so[^ ]*' | sort -u; }

need_tmp
payload=$OW_TMP/payload
mkdir -p "$payload/lib"
for program in "$agent" "$history"; do strip -o "$payload/$(basename "$program")" "$program"; done
while read -r file; do strip -o "$payload/lib/$(basename "$file")" "$(realpath "$file")"; done \
  < <(libraries "$agent" "$history")
provoke=$(find "$static" -name provoke -type f -executable -print -quit 2>/dev/null || true)
[ -n "$provoke" ] || die "provoke is not built in $static" "cmake --build $static --target provoke"
strip -o "$payload/provoke" "$provoke"
cp "$OW_ROOT/tests/vm/small_host_guest.sh" "$payload/"

image=$("$OW_ROOT/scripts/vm/image.sh" "$KERNEL" "$ARCH")
key=$({
  hash_of "$payload"/*.sh "$payload"/oom* "$payload"/provoke "$payload"/lib/* "$image/packages" \
    "$OW_ROOT"/scripts/vm/{run.sh,init}
  echo "$MEMORY $KILLS"
} | sha256sum | cut -d' ' -f1)
if kept_result small_host "$key" "$out"; then
  cat "$out/figures.txt"
  exit
fi
"$OW_ROOT/scripts/vm/run.sh" --kernel "$KERNEL" --memory "$MEMORY" --timeout 400 \
  --payload "$payload" --out "$out" -- sh /payload/small_host_guest.sh "$KILLS"
keep_result small_host "$key" "$out"
