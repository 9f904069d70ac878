#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# junit_schema.sh FOLDER: every JUnit file in it by the schema of the Jenkins form, and the schema itself by
# files that it must refuse.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"

readonly SKIPPED=77
schema=$OW_ROOT/tests/data/junit/jenkins.xsd
if ! command -v xmllint >/dev/null; then
  echo 'skipped: xmllint is not installed (apt-get install libxml2-utils)'
  exit "$SKIPPED"
fi
need_tmp
xmllint --noout --schema "$schema" "${1:?}"/*.xml
sample=$(grep -l '<failure' "$1"/*.xml | head -n 1)
refused() {
  if xmllint --noout --schema "$schema" "$OW_TMP/bad.xml" 2>/dev/null; then
    echo "accepted: $1"
    exit 1
  fi
}
sed 's/ classname="[^"]*"//' "$sample" >"$OW_TMP/bad.xml" && refused 'a case without a class'
sed 's/ time="/ time="-/' "$sample" >"$OW_TMP/bad.xml" && refused 'a time below 0'
sed 's/<failure /<flaw /; s/<\/failure>/<\/flaw>/' "$sample" >"$OW_TMP/bad.xml" && refused 'an element that nobody knows'
sed 's/<testcase /<testcase oom="1" /' "$sample" >"$OW_TMP/bad.xml" && refused 'an attribute that nobody knows'
printf '%s\n' "$(head -c 300 "$sample")" >"$OW_TMP/bad.xml" && refused 'half a file'
