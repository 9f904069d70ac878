# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Every Debian package the project needs, and the one place that installs them.

# packages_of GROUP
packages_of() {
  case $1 in
    build) echo g++ cmake ninja-build ccache clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev \
      liblzma-dev libzstd-dev libexpected-dev libcli11-dev nlohmann-json3-dev libfmt-dev \
      libgtest-dev libgmock-dev libsqlite3-dev ;;
    # What the agent and its exporters link.
    agent) echo libsystemd-dev libcap-ng-dev libseccomp-dev libtomlplusplus-dev \
      libcurl4-openssl-dev libmicrohttpd-dev prometheus-cpp-dev libprotobuf-dev protobuf-compiler ;;
    test) echo python3 python3-jsonschema openssl systemd systemd-journal-remote chromium libxml2-utils ;;
    package) echo dpkg-dev file git ;;
    # Guests, with the cross build of what runs in them.
    vm) echo qemu-system-x86 qemu-system-arm cpio xz-utils zstd mmdebstrap "$(packages_of cross)" ;;
    cross) echo g++-aarch64-linux-gnu debian-archive-keyring ;;
    check) echo clang-format clang-tidy shellcheck git ;;
    *) die "there is no package group '$1'" ;;
  esac
}

# ensure_packages GROUP...: installs what is missing, and is silent when nothing is.
ensure_packages() {
  local missing=() as_root=() group package
  for group in "$@"; do
    for package in $(packages_of "$group"); do
      # shellcheck disable=SC2016  # dpkg's own placeholder
      if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
        missing+=("$package")
      fi
    done
  done
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  say "installing ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then as_root=(sudo); fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
    die "apt-get could not install ${missing[*]}" \
      "this needs Debian 12 or later, root (or sudo) and a mirror that works"
}
