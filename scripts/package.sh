#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/package.sh [--deb]
#
# Builds the Debian package of this machine's architecture, and, without --deb, a tarball with the
# static program, into build/package. Prints what it made.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$OW_ROOT/scripts/lib/packages.sh"
# shellcheck source=scripts/lib/build.sh
. "$OW_ROOT/scripts/lib/build.sh"

if [ $# -gt 1 ] || { [ $# -eq 1 ] && [ "$1" != --deb ]; }; then
  echo "usage: scripts/package.sh [--deb]" >&2
  exit 2
fi
OUT=$OW_ROOT/build/package
# The same sources give the same package.
SOURCE_DATE_EPOCH=$(git -C "$OW_ROOT" log -1 --format=%ct 2>/dev/null || echo 0)
export SOURCE_DATE_EPOCH

make_deb() {
  build release
  say "packing"
  quietly cpack --config "$OW_ROOT/build/release/CPackConfig.cmake" -G DEB -B "$OUT" ||
    die "the package could not be made" "cpack's messages are above"
  rm -rf "$OUT/_CPack_Packages"
}

make_tarball() {
  local arch tree file
  arch=$(dpkg --print-architecture)
  build static oomwitness
  tree=$OW_TMP/oomwitness-$arch
  mkdir -p "$tree/man"
  strip -o "$tree/oomwitness" "$(built static oomwitness)"
  cp "$OW_ROOT"/{README.md,LICENSE,LICENSE.GPL-2.0-only} "$tree/"
  for file in "$OW_ROOT"/docs/man/oomwitness*; do cp "$file" "$tree/man/"; done
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
    -C "$OW_TMP" -cJf "$OUT/oomwitness-$arch.tar.xz" "oomwitness-$arch"
}

ensure_packages build agent package
rm -rf "$OUT"
mkdir -p "$OUT"
make_deb
if [ "${1:-}" != --deb ]; then
  need_tmp
  make_tarball
fi
find "$OUT" -maxdepth 1 \( -name '*.deb' -o -name '*.tar.xz' \) | sort
