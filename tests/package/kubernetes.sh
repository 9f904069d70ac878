#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The manifests of packaging/kubernetes against the OpenAPI schema that Kubernetes publishes, as the
# npm package kubernetes-models carries it. Kept in the cache once it has been fetched.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"

readonly SKIPPED=77 PACKAGES=(kubernetes-models@4 yaml@2)
modules=$OW_CACHE/npm/kubernetes
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
cp "$OW_ROOT/tests/package/kubernetes.mjs" "$OW_TMP/"
ln -s "$modules/node_modules" "$OW_TMP/node_modules"
check() { node "$OW_TMP/kubernetes.mjs" "$1"; }
manifest=$OW_ROOT/packaging/kubernetes/daemonset.yaml
check "$manifest"
# The check itself: a wrong type, and a field that does not exist.
sed 's/hostPID: true/hostPID: 3/' "$manifest" >"$OW_TMP/type.yaml"
sed 's/readOnlyRootFilesystem/readonlyRootFilesystem/' "$manifest" >"$OW_TMP/field.yaml"
for broken in type field; do
  if check "$OW_TMP/$broken.yaml" >"$OW_TMP/said"; then
    echo "a manifest with a wrong $broken passes"
    exit 1
  fi
done
