#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/vm/debian.sh [PACKAGE]...
#
# Prints a cpio with a whole Debian 12 and its systemd, for scripts/vm/run.sh --system: the smallest
# set of packages that boots to multi-user.target, and PACKAGE... Made once by mmdebstrap.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
# shellcheck source=scripts/lib/apt.sh
. "$OW_ROOT/scripts/lib/apt.sh"

readonly SUITE=bookworm
# A user manager with delegated cgroups needs the bus and PAM's module.
packages=(systemd-sysv dbus dbus-user-session libpam-systemd kmod passwd "$@")

dir=$OW_CACHE/vm/systems
mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9

made=$dir/$SUITE-$(printf '%s\n' "${packages[@]}" | hash_of - "${BASH_SOURCE[0]}" | cut -c1-16).cpio
if younger_than "$made" 30; then
  echo "$made"
  exit
fi
need_tmp
say "making a Debian $SUITE with ${packages[*]}"
# shellcheck disable=SC2016  # the hooks' $1 is the new tree
hooks=(--customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*'
  --customize-hook='echo guest >"$1/etc/hostname"')
for folder in doc locale man; do hooks+=(--dpkgopt="path-exclude=/usr/share/$folder/*"); done
quietly() { "$@" >"$OW_TMP/log" 2>&1 || { cat "$OW_TMP/log" >&2 && return 1; }; }
quietly mmdebstrap --mode=root --variant=minbase --include="$(IFS=, && echo "${packages[*]}")" \
  "${hooks[@]}" \
  "$SUITE" "$OW_TMP/root" "deb [signed-by=$APT_KEYRING] $(debian_mirror) $SUITE main" ||
  die "the system could not be made" "mmdebstrap's messages are above; run again"
(cd "$OW_TMP/root" && find . -mindepth 1 -xdev | cpio --quiet -o -H newc -R 0:0) >"$made.new"
mv "$made.new" "$made"
find "$dir" -name "$SUITE-*.cpio" ! -path "$made" -mtime +30 -delete
echo "$made"
