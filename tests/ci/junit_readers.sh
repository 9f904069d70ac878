#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# junit_readers.sh FOLDER: every JUnit file in it read back by two readers that know nothing of each other.
# The packages are kept in the cache once they have been fetched.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"

readonly SKIPPED=77 PACKAGES=(junit2json@3 test-results-parser@0.2)
modules=$OW_CACHE/npm/junit
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo 'skipped: node and npm are not installed'
  exit "$SKIPPED"
fi
if [ ! -e "$modules/done" ]; then
  mkdir -p "$modules"
  if ! npm install --silent --prefix "$modules" --no-audit --no-fund --ignore-scripts "${PACKAGES[@]}" >&2; then
    echo "skipped: the npm registry did not give ${PACKAGES[*]}"
    exit "$SKIPPED"
  fi
  touch "$modules/done"
fi
need_tmp
cp "$OW_ROOT/tests/ci/junit_readers.mjs" "$OW_TMP/"
ln -s "$modules/node_modules" "$OW_TMP/node_modules"
node "$OW_TMP/junit_readers.mjs" "${1:?}"
