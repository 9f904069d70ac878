#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# ctest_example.sh OOMWITNESS: docs/ctest.md, pasted: the test that is killed is named, the other one passes.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"

readonly SKIPPED=77
program=$(realpath "${1:?}")
if [ "$(id -u)" != 0 ]; then
  echo 'skipped: making a cgroup with a limit takes root'
  exit "$SKIPPED"
fi
need_tmp
# block LANGUAGE: the first code block in that language.
block() { awk -v open="\`\`\`$1" '$0 == open { on = 1; next } /^```/ && on { exit } on' "$OW_ROOT/docs/ctest.md"; }
mkdir "$OW_TMP/example" "$OW_TMP/bin"
ln -s "$program" "$OW_TMP/bin/oomwitness"
block cmake >"$OW_TMP/example/CMakeLists.txt"
block cpp >"$OW_TMP/example/example_test.cpp"
cd "$OW_TMP/example"
PATH=$OW_TMP/bin:$PATH
# The commands themselves, too. ctest fails, as it should.
block sh >"$OW_TMP/commands"
if bash -e "$OW_TMP/commands" >"$OW_TMP/said" 2>&1; then
  cat "$OW_TMP/said"
  echo 'ctest does not fail'
  exit 1
fi
expect() {
  grep -Eq "$1" "$2" && return
  cat "$OW_TMP/said"
  echo "not there: $1"
  exit 1
}
expect 'Parser.SmallFile \.+ +Passed' "$OW_TMP/said"
expect 'Parser.HugeFile \.+\*\*\*Failed' "$OW_TMP/said"
expect 'oomwitness: OOM kill: .*the memory limit of the run, 256 MiB|lowest memory limit over it is 256 MiB' "$OW_TMP/said"
expect 'oomwitness: OOM kill: ' build/ctest.xml
