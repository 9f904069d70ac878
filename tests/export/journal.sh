#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# journal.sh EXPORT_TOOL
#
# The journal exporter with systemd's own journald, which runs in a mount namespace with a /run of its
# own: this host's journal sees nothing of it. Exit code 77, with the reason, where that cannot be.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"

readonly SKIPPED=77 JOURNALD=/lib/systemd/systemd-journald
if [ "${OOMWITNESS_IN_NAMESPACE:-}" != yes ]; then
  if [ ! -x "$JOURNALD" ] || ! command -v journalctl >/dev/null; then
    echo 'skipped: systemd is not installed'
    exit "$SKIPPED"
  fi
  if [ ! -s /etc/machine-id ]; then
    echo 'skipped: journald needs an /etc/machine-id'
    exit "$SKIPPED"
  fi
  if ! unshare --mount mount -t tmpfs none /run 2>/dev/null; then
    echo 'skipped: a mount namespace needs root'
    exit "$SKIPPED"
  fi
  OOMWITNESS_IN_NAMESPACE=yes exec unshare --mount "$0" "$@"
fi

need_tmp
mount -t tmpfs none /run
mkdir -p /run/systemd/journald.conf.d /run/systemd/journal /run/log
printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nRateLimitIntervalSec=0\n' \
  >/run/systemd/journald.conf.d/test.conf
"$JOURNALD" >"$OW_TMP/journald.log" 2>&1 &
journald=$!
stop_journald() { kill "$journald" && wait "$journald"; }
OW_CLEANUP+=(stop_journald)
end=$((SECONDS + 20))
until [ -S /run/systemd/journal/socket ]; do
  if [ "$SECONDS" -ge "$end" ] || ! kill -0 "$journald"; then
    cat "$OW_TMP/journald.log"
    echo 'skipped: journald does not run here'
    exit "$SKIPPED"
  fi
  sleep 0.1
done

"$1" journal
journalctl --sync
# The catalog that the package installs, compiled by systemd itself.
mkdir -p "$OW_TMP/root/usr/lib/systemd/catalog" "$OW_TMP/root/var/lib/systemd/catalog"
cp "$OW_ROOT/packaging/journal/oomwitness.catalog" "$OW_TMP/root/usr/lib/systemd/catalog/"
journalctl --root "$OW_TMP/root" --update-catalog
journalctl --root "$OW_TMP/root" --list-catalog | tee "$OW_TMP/list"
grep -q c6ec57504c1dd40545672f3fdb746ad2 "$OW_TMP/list"
# --all: the whole incident is longer than what is shown otherwise.
journalctl -D /run/log/journal MESSAGE_ID=c6ec57504c1dd40545672f3fdb746ad2 --all -o json >"$OW_TMP/entries"
/usr/bin/python3 "$OW_ROOT/tests/export/journal_entries.py" "$OW_TMP/entries"
