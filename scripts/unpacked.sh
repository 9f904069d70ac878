#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/unpacked.sh PACKAGE
#
# Prints a folder with the programs of a Debian package, unpacked and not installed: the packages of
# servers would start them on this host.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/apt.sh
. "$OW_ROOT/scripts/lib/apt.sh"

package=${1:?usage: scripts/unpacked.sh PACKAGE}
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
arch=$(dpkg --print-architecture)
folder=$OW_CACHE/unpacked/$package-$suite-$arch
mkdir -p "$OW_CACHE/unpacked"
exec 9>"$folder.lock"
flock 9
if [ ! -e "$folder/.done" ]; then
  private_index "$suite" "$arch"
  deb=$(fetch_debs "$suite" "$arch" "$package")
  rm -rf "$folder"
  mkdir -p "$folder"
  dpkg-deb -x "$deb" "$folder"
  touch "$folder/.done"
fi
echo "$folder/usr/bin"
