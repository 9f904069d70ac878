#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/sysroot.sh [ARCH]
#
# Prints a folder with the libraries that a cross build for ARCH (arm64) links, unpacked from
# Debian's packages of this host's own release: the cross compiler's C++ library must match them.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/apt.sh
. "$OW_ROOT/scripts/lib/apt.sh"

arch=$(debian_arch "${1:-arm64}")
# No libc6-dev: the C library comes with the cross compiler.
PACKAGES=(libbpf-dev libelf-dev zlib1g-dev libgtest-dev libgmock-dev libexpected-dev libcli11-dev
  nlohmann-json3-dev libfmt-dev libzstd-dev liblzma-dev
  libsqlite3-dev libsqlite3-0)

# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
sysroot=$OW_CACHE/sysroot/$suite-$arch
mkdir -p "$OW_CACHE/sysroot"
exec 9>"$sysroot.lock"
flock 9
wanted=$(hash_of "${BASH_SOURCE[0]}")
if [ "$(cat "$sysroot/.made-by" 2>/dev/null)" != "$wanted" ]; then
  private_index "$suite" "$arch"
  debs=$(fetch_debs "$suite" "$arch" "${PACKAGES[@]}")
  say "making the $arch sysroot of Debian $suite"
  rm -rf "$sysroot"
  mkdir -p "$sysroot"
  for deb in $debs; do dpkg-deb -x "$deb" "$sysroot"; done
  echo "$wanted" >"$sysroot/.made-by"
fi
echo "$sysroot"
