# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Results of guests that passed: as long as nothing in it changes, a guest is not booted again.
# OOMWITNESS_ALL=1 and CI boot it all the same.

# kept_result NAME KEY OUT: empties OUT; fills it and succeeds when a run of that name with that key
# has been kept.
kept_result() {
  local kept=$OW_CACHE/vm/results/$1
  rm -rf "$3"
  mkdir -p "$3"
  if [ -n "${OOMWITNESS_ALL:-}${CI:-}" ]; then return 1; fi
  if [ "$(cat "$kept/key" 2>/dev/null)" != "$2" ]; then return 1; fi
  cp -R "$kept/." "$3/" || return 1
  echo "unchanged since the run of $(cat "$kept/time"): kept" | tee "$3/kept"
}

# keep_result NAME KEY OUT
keep_result() {
  local kept=$OW_CACHE/vm/results/$1
  rm -rf "$kept"
  mkdir -p "$kept"
  cp -R "$3/." "$kept/"
  date '+%F %T' >"$kept/time"
  # Last: a folder without it does not count.
  echo "$2" >"$kept/key"
}
