# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Builds by CMake preset, with ccache where it is installed.

# build PRESET [TARGET...]: configures once, then builds what changed.
build() {
  local preset=$1 dir=$OW_ROOT/build/$1 began=$SECONDS
  shift
  if command -v ccache >/dev/null; then
    # The release and static builds compile the same sources: let them share results.
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$OW_ROOT CCACHE_NOHASHDIR=1
    export CCACHE_DIR=${CCACHE_DIR:-$OW_CACHE/ccache}
  fi
  say "building $preset${1:+: $*}"
  if [ ! -e "$dir/build.ninja" ]; then
    (cd "$OW_ROOT" && quietly cmake --preset "$preset") ||
      die "the $preset build could not be configured" "the lines above name what is missing"
  fi
  quietly cmake --build "$dir" --parallel "$(nproc)" ${1:+--target "$@"} ||
    die "the $preset build failed" "the compiler's messages are above"
  note "$((SECONDS - began)) s"
}

# quietly COMMAND...: shows what a command printed only when it failed.
quietly() {
  local output
  if output=$("$@" 2>&1); then return; fi
  printf '%s\n' "$output" >&2
  return 1
}

# built PRESET PROGRAM: where a build put it.
built() {
  local file
  file=$(find "$OW_ROOT/build/$1" -name "$2" -type f -executable -print -quit)
  [ -n "$file" ] || die "$2 is not built in build/$1" "cmake --build build/$1 --target $2"
  echo "$file"
}
