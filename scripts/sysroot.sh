#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/sysroot.sh [ARCH]
#
# Prints a folder with the libraries that a cross build for ARCH (arm64) links, unpacked from
# Debian's packages of this host's own release: the cross compiler's C++ library must match them.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/apt.sh
. "$OW_ROOT/scripts/lib/apt.sh"

arch=$(debian_arch "${1:-arm64}")
# No libc6-dev: the C library comes with the cross compiler.
PACKAGES=(libbpf-dev libelf-dev zlib1g-dev libgtest-dev libgmock-dev libexpected-dev libcli11-dev
  nlohmann-json3-dev libfmt-dev libzstd-dev liblzma-dev libsqlite3-dev
  libsystemd-dev libcap-ng-dev libseccomp-dev libtomlplusplus-dev libcurl4-openssl-dev
  libmicrohttpd-dev prometheus-cpp-dev libprotobuf-dev)
# What the agent loads, with all that this needs in turn: to link it, to run it, and to say what its
# package depends on.
RUNTIME=(libstdc++6 libsqlite3-0 libsystemd0 libcap-ng0 libseccomp2 libcurl4 libmicrohttpd12
  libprometheus-cpp-core1.0)

# What RUNTIME needs, itself included, by name.
runtime_packages() {
  private_apt "$suite" "$arch" apt-get install --print-uris -y --no-install-recommends \
    "${RUNTIME[@]}" | awk '{ print $2 }' | cut -d_ -f1
}

# own_links: links that begin at the root lead into the sysroot.
own_links() {
  local link
  find "$sysroot" -type l -lname '/*' | while read -r link; do
    ln -sfn "$sysroot$(readlink "$link")" "$link"
  done
}

# add_to_dpkg DEB: dpkg-shlibdeps asks dpkg for the package of a library, and that one for the versions
# of its symbols. In this database a package has the files of the sysroot.
add_to_dpkg() {
  local info=$sysroot/.dpkg/info control=$sysroot/.control file name
  dpkg-deb -e "$1" "$control"
  name=$(dpkg-deb -f "$1" Package)
  if [ "$(dpkg-deb -f "$1" Multi-Arch)" = same ]; then name+=:$arch; fi
  {
    dpkg-deb -f "$1"
    printf 'Status: install ok installed\n\n'
  } >>"$sysroot/.dpkg/status"
  dpkg-deb --fsys-tarfile "$1" | tar -t | sed -e 's,/$,,' -e "s,^\.,$sysroot," >"$info/$name.list"
  for file in symbols shlibs; do
    if [ -e "$control/$file" ]; then cp "$control/$file" "$info/$name.$file"; fi
  done
  rm -rf "$control"
}

# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
sysroot=$OW_CACHE/sysroot/$suite-$arch
mkdir -p "$OW_CACHE/sysroot"
exec 9>"$sysroot.lock"
flock 9
wanted=$(hash_of "${BASH_SOURCE[0]}")
if [ "$(cat "$sysroot/.made-by" 2>/dev/null)" != "$wanted" ]; then
  private_index "$suite" "$arch"
  # shellcheck disable=SC2046  # names
  debs=$(fetch_debs "$suite" "$arch" "${PACKAGES[@]}" $(runtime_packages))
  say "making the $arch sysroot of Debian $suite"
  rm -rf "$sysroot"
  mkdir -p "$sysroot"
  mkdir -p "$sysroot/.dpkg/info"
  echo 1 >"$sysroot/.dpkg/info/format"
  printf '%s\n' "$(dpkg --print-architecture)" "$arch" | sort -u >"$sysroot/.dpkg/arch"
  for deb in $debs; do
    dpkg-deb -x "$deb" "$sysroot"
    add_to_dpkg "$deb"
  done
  own_links
  echo "$wanted" >"$sysroot/.made-by"
fi
echo "$sysroot"
