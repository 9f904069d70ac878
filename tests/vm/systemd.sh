#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/vm/systemd.sh STATIC OUT
#
# The package in a Debian with its systemd: tests/vm/systemd_guest.sh says what is tried there.
# STATIC is the static build with the provoker. As with the other guests, a run that passed is kept
# in the cache as long as nothing in it changes.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
# shellcheck source=scripts/lib/kept.sh
. "$OW_ROOT/scripts/lib/kept.sh"

readonly SKIPPED=77 KERNEL=6.1
static=${1:?} out=${2:?}
if ! command -v mmdebstrap >/dev/null || ! command -v qemu-system-x86_64 >/dev/null; then
  echo 'skipped: mmdebstrap or qemu-system-x86_64 is not installed'
  exit "$SKIPPED"
fi
deb=$(find "$OW_ROOT/build/package" -name 'oomwitness_*_amd64.deb' -print -quit 2>/dev/null || true)
[ -n "$deb" ] || die "there is no package in build/package" "scripts/package.sh --deb"

# with_version DEB VERSION FILE: the same package under another version.
with_version() {
  dpkg-deb -R "$1" "$OW_TMP/unpacked"
  sed -i "s/^Version: .*/Version: $2/" "$OW_TMP/unpacked/DEBIAN/control"
  dpkg-deb --root-owner-group -Zgzip -z1 -b "$OW_TMP/unpacked" "$3" >/dev/null
  rm -rf "$OW_TMP/unpacked"
}

# Names alone: what is in the release is new enough, or dpkg will say so.
depends_of() {
  dpkg-deb -f "$1" Depends | tr ',' '\n' | sed -E 's/\|.*//; s/\(.*//; s/ //g' | sort
}

need_tmp
payload=$OW_TMP/payload
mkdir -p "$payload"
with_version "$deb" 0.0.1 "$payload/old.deb"
cp "$deb" "$payload/new.deb"
cp "$OW_ROOT/tests/vm/systemd_guest.sh" "$payload/"
xz -dc "$OW_ROOT/tests/data/journal/oom.journal.xz" >"$payload/oom.journal"
provoke=$(find "$static" -name provoke -type f -executable -print -quit)
strip -o "$payload/provoke" "$provoke"

mapfile -t packages < <(depends_of "$deb")
system=$("$OW_ROOT/scripts/vm/debian.sh" "${packages[@]}" python3-minimal)
dpkg-deb -R "$deb" "$OW_TMP/content"
key=$({
  hash_of "$payload/provoke" "$payload/systemd_guest.sh" "$payload/oom.journal" "$OW_ROOT"/scripts/vm/{run.sh,service,debian.sh}
  (cd "$OW_TMP/content" && find . -type f ! -name md5sums -print0 | sort -z | xargs -0 sha256sum)
  echo "$system"
} | sha256sum | cut -d' ' -f1)
if kept_result systemd "$key" "$out"; then exit; fi
"$OW_ROOT/scripts/vm/run.sh" --kernel "$KERNEL" --memory 1536M --cpus 2 --timeout 600 \
  --system "$system" --payload "$payload" --out "$out" -- sh /payload/systemd_guest.sh
keep_result systemd "$key" "$out"
