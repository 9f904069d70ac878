# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Sourced by every script: messages, folders, a temporary folder that goes away by itself.

# A function inside $(...) must stop at its first error too.
shopt -s inherit_errexit

OW_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Everything downloaded or built once; safe to delete.
OW_CACHE=${OOMWITNESS_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/oomwitness}
export OW_ROOT OW_CACHE
mkdir -p "$OW_CACHE"

say() { printf '==> %s\n' "$*" >&2; }

note() { printf '    %s\n' "$*" >&2; }

# die WHAT [HINT]: what was tried and why it failed, then what to do about it.
die() {
  printf 'error: %s\n' "$1" >&2
  if [ $# -gt 1 ]; then printf 'hint: %s\n' "$2" >&2; fi
  exit 1
}

# Folders and functions to take away when the script ends, however it ends.
OW_CLEANUP=()

ow_cleanup() {
  local status=$? step
  for step in "${OW_CLEANUP[@]}"; do
    "$step" || true
  done
  if [ -n "${OW_TMP:-}" ]; then rm -rf "$OW_TMP"; fi
  return "$status"
}
trap ow_cleanup EXIT
# bash runs the EXIT trap on its own way out only: turn the signals into exits.
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# need_tmp: makes OW_TMP, a folder that is removed on exit.
need_tmp() {
  if [ -z "${OW_TMP:-}" ]; then OW_TMP=$(mktemp -d "${TMPDIR:-/tmp}/oomwitness.XXXXXX"); fi
}

# hash_of FILE...: one hash over the names' order and the contents.
hash_of() { cat -- "$@" | sha256sum | cut -d' ' -f1; }

# younger_than FILE DAYS
younger_than() { [ -e "$1" ] && [ -n "$(find "$1" -maxdepth 0 -mtime "-$2")" ]; }

# The Debian name of an architecture, from any of its names.
debian_arch() {
  case $1 in
    x86_64 | amd64) echo amd64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) die "architecture '$1' is not known" "amd64 and arm64 are" ;;
  esac
}
