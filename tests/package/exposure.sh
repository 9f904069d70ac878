#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/package/exposure.sh UNIT: the unit as systemd judges it, and that it can be read at all.
set -euo pipefail
unit=${1:?usage: exposure.sh UNIT}
if ! command -v systemd-analyze >/dev/null; then
  echo 'skipped: systemd-analyze is not installed'
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# systemd-analyze wants the program of ExecStart= to be there.
sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' "$unit" >"$work/oomwitness.service"
said=$(systemd-analyze verify --man=no "$work/oomwitness.service" 2>&1 | grep -F oomwitness.service || true)
if [ -n "$said" ]; then
  printf '%s\n' "$said"
  exit 1
fi
# In tenths.
systemd-analyze security --offline=yes --no-pager --threshold=25 "$work/oomwitness.service" | tail -n 1
