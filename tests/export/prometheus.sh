#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# prometheus.sh EXPORT_TOOL [rules]
#
# With `rules`: promtool checks and tests the alert rules. Without: Debian's Prometheus scrapes the
# exporter on loopback and evaluates the rules. Exit code 77, with the reason: Prometheus is neither
# here nor to be had.
set -euo pipefail
# shellcheck source=tests/export/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tool=$1
rules=$root/packaging/prometheus
need promtool prometheus

if [ "${2:-}" = rules ]; then
  promtool check rules "$rules/oomwitness.rules.yml"
  exec promtool test rules "$rules/oomwitness.tests.yml"
fi

tmp=$(mktemp -d "${TMPDIR:-/tmp}/oomwitness.XXXXXX")
mkfifo "$tmp/life"
touch "$tmp/log"
"$tool" metrics "$tmp/state" <"$tmp/life" >"$tmp/port" &
server=$!
exec 9>"$tmp/life"
prometheus=
stop() {
  if [ -n "$prometheus" ]; then kill "$prometheus" 2>/dev/null || true; fi
  exec 9>&-
  wait
  rm -rf "$tmp"
}
trap stop EXIT

until_true 20 "$tmp/log" test -s "$tmp/port"
kill -0 "$server"
cat >"$tmp/prometheus.yml" <<YML
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [$rules/oomwitness.rules.yml]
scrape_configs:
  - job_name: oomwitness
    static_configs: [{targets: ["127.0.0.1:$(cat "$tmp/port")"]}]
YML
promtool check config "$tmp/prometheus.yml"
listen=$(free_address)
prometheus --config.file="$tmp/prometheus.yml" --storage.tsdb.path="$tmp/data" \
  --web.listen-address="$listen" >"$tmp/log" 2>&1 &
prometheus=$!
until_true 60 "$tmp/log" /usr/bin/python3 "$root/tests/export/ask_prometheus.py" "http://$listen"
echo "scraped and evaluated"
