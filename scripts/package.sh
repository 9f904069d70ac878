#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/package.sh [--deb] [--arch amd64|arm64]
#
# Builds the Debian package of this machine's architecture, or of another one with a cross compiler,
# and, without --deb, a tarball with the static program, into build/package. Prints what it made.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$OW_ROOT/scripts/lib/packages.sh"
# shellcheck source=scripts/lib/build.sh
. "$OW_ROOT/scripts/lib/build.sh"

here=$(dpkg --print-architecture)
arch=$here tarball=yes
while [ $# -gt 0 ]; do
  case $1 in
    --deb) tarball='' ;;
    --arch) arch=$(debian_arch "${2:-}") && shift ;;
    *) echo "usage: scripts/package.sh [--deb] [--arch amd64|arm64]" >&2 && exit 2 ;;
  esac
  shift
done
if [ "$arch" = "$here" ]; then
  release=release static=static strip=strip
elif [ "$arch" = arm64 ]; then
  release=release-arm64 static=static-arm64 strip=aarch64-linux-gnu-strip
else
  die "there is no cross build for $arch" "run this on a machine of that architecture"
fi
OUT=$OW_ROOT/build/package
# The same sources give the same package.
SOURCE_DATE_EPOCH=$(git -C "$OW_ROOT" log -1 --format=%ct 2>/dev/null || echo 0)
export SOURCE_DATE_EPOCH

# A cross build looks for its libraries, and dpkg-shlibdeps for their packages, in the sysroot.
make_deb() {
  local sysroot folders='' environment=()
  if [ "$arch" = "$here" ]; then
    build "$release"
  else
    sysroot=$("$OW_ROOT/scripts/sysroot.sh" "$arch")
    folders=$(find "$sysroot"/{,usr/}lib/*-linux-gnu -maxdepth 0 -printf '%p;')
    environment=(DPKG_ADMINDIR="$sysroot/.dpkg" DEB_HOST_ARCH="$arch")
    build "$release" oomwitness oomwitness-agent oomwitness-history
  fi
  say "packing"
  quietly env "${environment[@]}" cpack --config "$OW_ROOT/build/$release/CPackConfig.cmake" \
    -G DEB -B "$OUT" -D CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS="$folders" ||
    die "the package could not be made" "cpack's messages are above"
  rm -rf "$OUT/_CPack_Packages"
}

make_tarball() {
  local tree file
  build "$static" oomwitness
  tree=$OW_TMP/oomwitness-$arch
  mkdir -p "$tree/man"
  "$strip" -o "$tree/oomwitness" "$(built "$static" oomwitness)"
  cp "$OW_ROOT"/{README.md,LICENSE,LICENSE.GPL-2.0-only} "$tree/"
  for file in "$OW_ROOT"/docs/man/oomwitness*; do cp "$file" "$tree/man/"; done
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
    -C "$OW_TMP" -cJf "$OUT/oomwitness-$arch.tar.xz" "oomwitness-$arch"
}

ensure_packages build agent package
if [ "$arch" != "$here" ]; then ensure_packages cross; fi
mkdir -p "$OUT"
rm -f "$OUT"/*[_-]"$arch".*
make_deb
if [ -n "$tarball" ]; then
  need_tmp
  make_tarball
fi
find "$OUT" -maxdepth 1 \( -name "*_$arch.deb" -o -name "*-$arch.tar.xz" \) | sort
