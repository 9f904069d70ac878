#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# otlp.sh EXPORT_TOOL
#
# The OTLP exporter against another implementation: OpenTelemetry's own definitions as its JavaScript
# packages carry them, decoded by protobufjs. Kept in the cache once they have been fetched.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"

readonly SKIPPED=77 PACKAGES=(@opentelemetry/otlp-proto-exporter-base@0.51.1 protobufjs@7)
modules=$OW_CACHE/npm/otlp
if ! command -v node >/dev/null; then
  echo 'skipped: node is not installed'
  exit "$SKIPPED"
fi
if [ ! -e "$modules/done" ]; then
  if ! command -v npm >/dev/null; then
    echo 'skipped: npm is not installed'
    exit "$SKIPPED"
  fi
  mkdir -p "$modules"
  if ! npm install --silent --prefix "$modules" --no-audit --no-fund --ignore-scripts "${PACKAGES[@]}" >&2; then
    echo "skipped: the npm registry did not give ${PACKAGES[*]}"
    exit "$SKIPPED"
  fi
  touch "$modules/done"
fi
need_tmp
cp "$OW_ROOT/tests/export/otlp.mjs" "$OW_TMP/"
ln -s "$modules/node_modules" "$OW_TMP/node_modules"
node "$OW_TMP/otlp.mjs" "$1"
