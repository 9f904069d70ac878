#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# alertmanager.sh EXPORT_TOOL
#
# Debian's Alertmanager takes what the webhook sends, and has the alerts. Exit code 77, with the reason,
# where it cannot be had or run.
set -euo pipefail
# shellcheck source=tests/export/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tool=$1
need prometheus-alertmanager prometheus-alertmanager

tmp=$(mktemp -d "${TMPDIR:-/tmp}/oomwitness.XXXXXX")
alertmanager=
stop() {
  if [ -n "$alertmanager" ]; then kill "$alertmanager" 2>/dev/null || true; fi
  wait
  rm -rf "$tmp"
}
trap stop EXIT
printf 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n' >"$tmp/config.yml"
listen=$(free_address)
# It reads a template below /usr/share, where it is not installed.
share=$(dirname "$(command -v prometheus-alertmanager)")/../share
namespace=(unshare --mount)
if [ "$(id -u)" != 0 ]; then namespace+=(--map-root-user); fi
# shellcheck disable=SC2016  # for the shell within
namespace+=(sh -c 'mount -t overlay none -o "lowerdir=$0:/usr/share" /usr/share && exec "$@"' "$share")
if ! "${namespace[@]}" true 2>"$tmp/log"; then
  echo "skipped: a mount namespace cannot be made: $(cat "$tmp/log")"
  exit 77
fi
"${namespace[@]}" prometheus-alertmanager --config.file="$tmp/config.yml" --storage.path="$tmp/data" \
  --web.listen-address="$listen" --cluster.listen-address= >"$tmp/log" 2>&1 &
alertmanager=$!
take_alerts() { "$tool" alertmanager "http://$listen/api/v2/alerts" >"$tmp/told"; }
until_true 30 "$tmp/log" take_alerts
cat "$tmp/told"
/usr/bin/python3 - "http://$listen/api/v2/alerts" <<'PY'
import json
import sys
import urllib.request

with urllib.request.urlopen(sys.argv[1], timeout=10) as answer:
    alerts = json.load(answer)
causes = {alert["labels"]["cause"] for alert in alerts}
assert {"ancestor-limit", "host-single-hog", "sysrq"} <= causes, causes
for alert in alerts:
    assert alert["labels"]["alertname"] == "OOMKill"
    assert alert["labels"]["severity"] in ("info", "warning", "error", "critical")
    assert alert["annotations"]["summary"].startswith("OOM kill")
    assert alert["status"]["state"] == "active", alert
print(f"{len(alerts)} alerts active")
PY
