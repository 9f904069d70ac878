#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/test.sh [--label LABEL]... [--all] [--no-check]
#
# Installs what is missing, builds, and runs every test: on this host, and in guests with other
# kernels. The last line counts them. See --help.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$OW_ROOT/scripts/lib/packages.sh"
# shellcheck source=scripts/lib/build.sh
. "$OW_ROOT/scripts/lib/build.sh"

usage() {
  cat <<'TEXT'
usage: scripts/test.sh [--label LABEL]... [--all] [--no-check]
  --label LABEL  only these tests: unit, object, cli, live, fuzz, package, vm; any number of times
  --all          boot every guest again, also those whose programs and kernels have not changed
  --no-check     leave out scripts/check.sh
TEXT
}

labels=() check=yes
while [ $# -gt 0 ]; do
  case $1 in
    --label) labels+=("${2:?$(usage)}") && shift ;;
    --all) export OOMWITNESS_ALL=1 ;;
    --no-check) check='' ;;
    --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done
if [ ${#labels[@]} -gt 0 ]; then check=''; fi

BUILD=$OW_ROOT/build/release
RESULTS=$BUILD/results
failures=0

chosen() { [ ${#labels[@]} -eq 0 ] || [[ " ${labels[*]} " == *" $1 "* ]]; }

# step NAME COMMAND...: a part that is not a ctest, counted as one test.
step() {
  local name=$1 began=$SECONDS verdict=passed
  shift
  say "$name"
  if ! "$@"; then verdict=failed && failures=$((failures + 1)); fi
  printf '%s\t%s\t%s\n' "$verdict" "$name" "$((SECONDS - began))" >>"$RESULTS/steps"
}

prepare_guests() {
  local kernel arch
  grep -v '^#' "$OW_ROOT/scripts/vm/kernels.txt" | while read -r kernel arch _; do
    "$OW_ROOT/scripts/vm/image.sh" "$kernel" "$arch" >/dev/null
  done
  "$OW_ROOT/scripts/package.sh" --deb >/dev/null
  build static oomwitness live_tests provoke
  build static-arm64 oomwitness live_tests provoke
}

run_ctest() {
  local which=()
  if [ ${#labels[@]} -gt 0 ]; then which=(-L "^($(IFS='|' && echo "${labels[*]}"))\$"); fi
  # ctest pads every line to its longest name with hundreds of dots.
  ctest --test-dir "$BUILD" --parallel 2 --output-on-failure --output-junit "$RESULTS/ctest.xml" \
    --no-tests=error "${which[@]}" | sed -u -E 's/ \.{4,}( *)/ ... /'
}

validate() {
  /usr/bin/python3 "$OW_ROOT/tests/validate_incidents.py" "$OW_ROOT/docs/incident.schema.json" \
    "$RESULTS/incidents" "$BUILD"/guests/*/incidents
  /usr/bin/python3 "$OW_ROOT/tests/validate_incidents.py" \
    "$OW_ROOT/docs/run.schema.json,$OW_ROOT/docs/incident.schema.json" "$RESULTS/runs" "$BUILD"/guests/*/runs
}

# In a function: bash reads a script while it runs, and this one runs long enough to be edited.
main() {
  local groups
  groups=(build agent test)
  if chosen vm; then groups+=(vm package); fi
  if [ -n "$check" ]; then groups+=(check); fi
  ensure_packages "${groups[@]}"

  build release
  if chosen vm; then prepare_guests; fi

  rm -rf "$RESULTS"
  mkdir -p "$RESULTS/incidents"
  export OOMWITNESS_INCIDENTS=$RESULTS/incidents
  OOMWITNESS_BIN=$(built release oomwitness)
  export OOMWITNESS_BIN

  say "running the tests${labels:+ labelled ${labels[*]}}"
  run_ctest || failures=$((failures + 1))
  if [ -n "$check" ]; then
    step 'scripts/check.sh --no-tidy' "$OW_ROOT/scripts/check.sh" --no-tidy --build "$BUILD"
    printf 'skipped\tclang-tidy\t0\tit takes as long as all of the tests: scripts/check.sh runs it\n' \
      >>"$RESULTS/steps"
  fi
  if chosen live || chosen vm; then step 'incidents by the schema' validate; fi

  say "what ran"
  /usr/bin/python3 "$OW_ROOT/scripts/lib/summary.py" "$RESULTS" "$BUILD/guests" || failures=1
  [ "$failures" -eq 0 ]
}

main
