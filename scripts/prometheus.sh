#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/prometheus.sh
#
# Prints a folder with Debian's prometheus and promtool, unpacked and not installed: its package
# would start a server on this host.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/apt.sh
. "$OW_ROOT/scripts/lib/apt.sh"

# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
arch=$(dpkg --print-architecture)
folder=$OW_CACHE/prometheus/$suite-$arch
mkdir -p "$OW_CACHE/prometheus"
exec 9>"$folder.lock"
flock 9
if [ ! -x "$folder/usr/bin/promtool" ]; then
  private_index "$suite" "$arch"
  deb=$(fetch_debs "$suite" "$arch" prometheus)
  rm -rf "$folder"
  mkdir -p "$folder"
  dpkg-deb -x "$deb" "$folder"
fi
echo "$folder/usr/bin"
