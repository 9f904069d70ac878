#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The manifests of packaging/kubernetes against the OpenAPI schema that Kubernetes publishes, as the
# npm package kubernetes-models carries it. Kept in the cache once it has been fetched.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
# shellcheck source=scripts/lib/npm.sh
. "$OW_ROOT/scripts/lib/npm.sh"

need_npm kubernetes kubernetes-models@4 yaml@2
cp "$OW_ROOT/tests/package/kubernetes.mjs" "$OW_TMP/"
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
