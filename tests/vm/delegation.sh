#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/vm/delegation.sh BUILD OUT
#
# `oomwitness run` under systemd, as a normal user and as root: tests/vm/delegation_guest.sh says what is tried.
# BUILD is the static build. As with the other guests, a run that passed is kept in the cache as long as
# nothing in it changes.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
# shellcheck source=scripts/lib/kept.sh
. "$OW_ROOT/scripts/lib/kept.sh"

readonly SKIPPED=77 KERNEL=6.1
build=${1:?} out=${2:?}
if ! command -v mmdebstrap >/dev/null || ! command -v qemu-system-x86_64 >/dev/null; then
  echo 'skipped: mmdebstrap or qemu-system-x86_64 is not installed'
  exit "$SKIPPED"
fi
need_tmp
payload=$OW_TMP/payload
mkdir -p "$payload"
for program in oomwitness provoke; do
  file=$(find "$build" -name "$program" -type f -executable -print -quit 2>/dev/null || true)
  [ -n "$file" ] || die "$program is not built in $build" "cmake --build $build --target $program"
  strip -o "$payload/$program" "$file"
done
cp "$OW_ROOT/tests/vm/delegation_guest.sh" "$payload/"
system=$("$OW_ROOT/scripts/vm/debian.sh" python3-minimal)
key=$({
  hash_of "$payload"/* "$OW_ROOT"/scripts/vm/{run.sh,service,debian.sh}
  echo "$system"
} | sha256sum | cut -d' ' -f1)
if kept_result delegation "$key" "$out"; then exit; fi
"$OW_ROOT/scripts/vm/run.sh" --kernel "$KERNEL" --memory 1536M --cpus 2 --timeout 400 \
  --system "$system" --payload "$payload" --out "$out" -- sh /payload/delegation_guest.sh
keep_result delegation "$key" "$out"
