# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Sourced by the tests with real servers: programs of Debian packages, and waiting for an answer.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# need PROGRAM PACKAGE: the program is in the path, or the test is skipped (77).
need() {
  local bin
  if command -v "$1" >/dev/null; then return; fi
  if ! bin=$("$root/scripts/unpacked.sh" "$2" 2>&1); then
    echo "skipped: Debian's $2 could not be fetched: $bin"
    exit 77
  fi
  PATH=$(tail -n 1 <<<"$bin"):$PATH
}

free_address() {
  echo "127.0.0.1:$(/usr/bin/python3 -c \
    'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
}

# until_true SECONDS LOG COMMAND...
until_true() {
  local end=$((SECONDS + $1)) log=$2
  shift 2
  until "$@"; do
    if [ "$SECONDS" -ge "$end" ]; then
      echo "not within the time: $*"
      cat "$log"
      exit 1
    fi
    sleep 0.2
  done
}
