#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/check.sh [--fix] [--no-tidy] [--build DIR]
#
# What can be said about the sources without running them: format, clang-tidy, shellcheck, licence
# lines, layout. --fix formats the files in place. DIR is a build folder (default: build/release).
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$OW_ROOT/scripts/lib/packages.sh"
# shellcheck source=scripts/lib/build.sh
. "$OW_ROOT/scripts/lib/build.sh"

fix='' build_dir='' checks=(format shell licences places layout tidy)
while [ $# -gt 0 ]; do
  case $1 in
    --fix) fix=yes ;;
    --no-tidy) checks=(format shell licences places layout) ;;
    --build) build_dir=${2:?--build needs a folder} && shift ;;
    *) sed -n 's/^# \(scripts.*\)/usage: \1/p' "$0" >&2 && exit 2 ;;
  esac
  shift
done
ensure_packages build agent check
cd "$OW_ROOT"

# Of the files git knows or would add, those that match; names with blanks are not used here.
files() { git ls-files -co --exclude-standard -- "$@" | while read -r f; do [ ! -e "$f" ] || echo "$f"; done; }

shell_files() {
  files '*.sh'
  local file
  files scripts .ci packaging tests | while read -r file; do
    case $file in *.sh) continue ;; esac
    if head -c 64 "$file" | grep -aqE '^#!.*[/ ](ba)?sh'; then echo "$file"; fi
  done
}

check_format() {
  local how=(--dry-run --Werror)
  if [ -n "$fix" ]; then how=(-i); fi
  files 'user/*.h' 'user/*.cpp' 'tests/*.h' 'tests/*.cpp' 'tests/*.c' 'bpf/*.h' 'bpf/*.c' |
    xargs -r clang-format "${how[@]}"
}

check_tidy() { /usr/bin/python3 scripts/lib/tidy.py "$build_dir" "$OW_CACHE/tidy"; }

check_shell() { shell_files | xargs -r shellcheck -x; }

check_licences() {
  local file line wanted bad=0
  while read -r file; do
    line=$(head -n 5 "$file" | grep -a -m 1 'SPDX-License-Identifier:' || true)
    case $file in
      bpf/*.[ch] | vmlinux/*.h) wanted='GPL-2.0-only OR BSD-2-Clause' ;;
      *) wanted='BSD-2-Clause' ;;
    esac
    if [[ "$line" != *"SPDX-License-Identifier: $wanted"* ]]; then
      echo "$file: wants 'SPDX-License-Identifier: $wanted' in its first lines"
      bad=1
    fi
  done < <(files '*.c' '*.h' '*.cpp' '*.cmake' '*CMakeLists.txt' '*.py' && shell_files)
  return "$bad"
}

# The repository must not know where it was written.
check_places() {
  local pattern places
  # shellcheck disable=SC2016  # apt's own placeholder
  places=$({ echo "$OW_ROOT/" && apt-get indextargets --format '$(SITE)' 2>/dev/null; } |
    sed 's|^https*://||' | sort -u)
  for pattern in $places; do
    if git grep -nIF -e "$pattern"; then
      echo "'$pattern' is this machine's own"
      return 1
    fi
  done
}

check_layout() {
  local bad=0 name
  while read -r name; do
    case $name in
      .* | CMakeLists.txt | CMakePresets.json | README.md | LICENSE*) ;;
      bpf | user | vmlinux | tests | scripts | docs | packaging) ;;
      *) echo "$name: does not belong at the top of the repository" && bad=1 ;;
    esac
  done < <(git ls-files | cut -d/ -f1 | sort -u)
  return "$bad"
}

if [ -z "$build_dir" ]; then
  build_dir=$OW_ROOT/build/release
  build release
fi

failed=()
for name in "${checks[@]}"; do
  say "check: $name"
  "check_$name" >&2 || failed+=("$name")
done
[ ${#failed[@]} -eq 0 ] || die "these checks failed: ${failed[*]}" \
  "scripts/check.sh --fix formats; the rest is named above"
