#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# junit_readers.sh FOLDER: every JUnit file in it read back by two readers that know nothing of each other.
# The packages are kept in the cache once they have been fetched.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
# shellcheck source=scripts/lib/npm.sh
. "$OW_ROOT/scripts/lib/npm.sh"

need_npm junit junit2json@3 test-results-parser@0.2
cp "$OW_ROOT/tests/ci/junit_readers.mjs" "$OW_TMP/"
node "$OW_TMP/junit_readers.mjs" "${1:?}"
