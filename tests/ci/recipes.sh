#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# recipes.sh OOMWITNESS PROVOKE: the commands of README.md's recipes for GitHub Actions and GitLab, as a job
# runs them: with a build that succeeds, and with one that is killed and hides it.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"

readonly SKIPPED=77
program=$(realpath "${1:?}") provoke=$(realpath "${2:?}")
if [ "$(id -u)" != 0 ] || ! command -v make >/dev/null || ! command -v setpriv >/dev/null; then
  echo 'skipped: it takes root, make and setpriv'
  exit "$SKIPPED"
fi
need_tmp
# github, gitlab: the shell lines of a job.
github() { awk '/^        run: \|$/ { on = 1; next } on && !/^          / { exit } on { print substr($0, 11) }' "$OW_ROOT/README.md"; }
gitlab() { awk '/^  script:$/ { on = 1; next } on && !/^    - / { exit } on { print substr($0, 7) }' "$OW_ROOT/README.md"; }

# A runner's machine: root by sudo, a checkout.
mkdir -p "$OW_TMP/bin" "$OW_TMP/checkout/ci"
ln -s "$program" "$OW_TMP/checkout/ci/oomwitness"
command -v sudo >/dev/null || printf '#!/bin/sh\nexec "$@"\n' >"$OW_TMP/bin/sudo"
chmod -R +x "$OW_TMP/bin"
PATH=$OW_TMP/bin:$PATH
export GITHUB_STEP_SUMMARY=$OW_TMP/summary.md
cd "$OW_TMP/checkout"

# job NAME WANTED: runs the recipe's lines as the runners do (bash -e).
job() {
  local code=0
  rm -f oom.* "$GITHUB_STEP_SUMMARY"
  "$1" >"$OW_TMP/$1.sh"
  [ -s "$OW_TMP/$1.sh" ] || die "README.md has no recipe for $1"
  bash -e "$OW_TMP/$1.sh" >"$OW_TMP/said" 2>&1 || code=$?
  if [ "$code" != "$2" ] || ! grep -q '<testsuite' oom.xml || ! grep -q '"schema":"oomwitness/run/v1"' oom.json; then
    cat "$OW_TMP/said"
    echo "$1: exit code $code, expected $2, or no files"
    exit 1
  fi
}

printf 'check:\n\t@echo built\n' >Makefile
job github 0
grep -q '### Success' "$GITHUB_STEP_SUMMARY"
job gitlab 0
# The 2 GiB of the recipe are more than a test should take: the killed one has a limit of its own.
printf 'check:\n\t-%s run --quiet --memory-max 16M -- %s adj=1000 go=1 alloc=max </dev/null\n\t@echo built\n' \
  "$program" "$provoke" >Makefile
job github 137
grep -q '^::error title=OOM kill::' "$OW_TMP/said"
grep -q '<failure type="oom"' oom.xml
grep -q '### OOM kill' "$GITHUB_STEP_SUMMARY"
job gitlab 137
