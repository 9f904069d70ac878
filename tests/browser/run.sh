#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh OOMWITNESS FOLDER: the HTML report in headless Chromium. FOLDER keeps playwright-core, from
# the npm registry, from one run to the next. Exit code 77: something is missing, and is named.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$1 folder=$2

skip() { echo "skipped: $*" && exit 77; }

for tool in node npm chromium; do
  command -v "$tool" >/dev/null || skip "$tool is not installed"
done

mkdir -p "$folder"
if ! cmp -s "$here/package.json" "$folder/package.json" || [ ! -d "$folder/node_modules/playwright-core" ]; then
  cp "$here/package.json" "$folder/package.json"
  # Its browsers stay where they are: Debian's is used.
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 timeout 60 \
    npm install --prefix "$folder" --no-audit --no-fund --no-package-lock --ignore-scripts --silent ||
    { rm -f "$folder/package.json" && skip "the npm registry did not give playwright-core"; }
fi

cp "$here/report_test.mjs" "$folder/report_test.mjs"
CHROMIUM=$(command -v chromium) OOMWITNESS=$program GOLDEN=$here/../data/golden/json \
  exec node --test --test-reporter=spec "$folder/report_test.mjs"
