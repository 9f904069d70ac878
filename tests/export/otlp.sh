#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# otlp.sh EXPORT_TOOL
#
# The OTLP exporter against another implementation: OpenTelemetry's own definitions as its JavaScript
# packages carry them, decoded by protobufjs. Kept in the cache once they have been fetched.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
# shellcheck source=scripts/lib/npm.sh
. "$OW_ROOT/scripts/lib/npm.sh"

need_npm otlp @opentelemetry/otlp-proto-exporter-base@0.51.1 protobufjs@7
cp "$OW_ROOT/tests/export/otlp.mjs" "$OW_TMP/"
node "$OW_TMP/otlp.mjs" "$1"
