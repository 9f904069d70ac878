# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Packages of the npm registry, for tests that want another implementation's word.

# need_npm NAME PACKAGE...: links node_modules with the packages into OW_TMP. They are fetched once
# and kept in the cache under NAME. Ends the test as skipped, with the reason, when they cannot be had.
need_npm() {
  local modules=$OW_CACHE/npm/$1 skipped=77
  shift
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo 'skipped: node and npm are not installed'
    exit "$skipped"
  fi
  if [ ! -e "$modules/done" ]; then
    mkdir -p "$modules"
    if ! npm install --silent --prefix "$modules" --no-audit --no-fund --ignore-scripts "$@" >&2; then
      echo "skipped: the npm registry did not give $*"
      exit "$skipped"
    fi
    touch "$modules/done"
  fi
  need_tmp
  ln -s "$modules/node_modules" "$OW_TMP/node_modules"
}
