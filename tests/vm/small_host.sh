#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/vm/small_host.sh ARCH KILLS STATIC OUT [AGENT HISTORY]
#
# The agent on a host of 256 MiB that runs out of memory KILLS times in a row:
# tests/vm/small_host_guest.sh says what is tried. AGENT and HISTORY are the dynamic programs of this
# host's build; without them those of the package for ARCH in build/package, which the cross build's
# libraries go with. STATIC is the static build with the provoker. As with the other guests, a run
# that passed is kept in the cache as long as nothing in it changes.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
# shellcheck source=scripts/lib/kept.sh
. "$OW_ROOT/scripts/lib/kept.sh"

readonly SKIPPED=77 KERNEL=6.1 MEMORY=256M
arch=${1:?} kills=${2:?} static=${3:?} out=${4:?} agent=${5:-} history=${6:-}
case $arch in
  amd64) qemu=qemu-system-x86_64 strip=strip ;;
  arm64) qemu=qemu-system-aarch64 strip=aarch64-linux-gnu-strip ;;
esac
skip() { echo "skipped: $1" && exit "$SKIPPED"; }
command -v "$qemu" >/dev/null || skip "$qemu is not installed"

# The files that this host's loader takes for the programs, and the loader itself.
own_libraries() { ldd "$agent" "$history" | grep -o '/[^ ]*\.so[^ ]*' | sort -u; }

needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# The same for another architecture's, out of its sysroot.
sysroot_libraries() {
  local sysroot name file wanted seen=' '
  sysroot=$("$OW_ROOT/scripts/sysroot.sh" "$arch")
  wanted=$(needed "$agent" && needed "$history")
  while [ -n "$wanted" ]; do
    name=${wanted%%$'\n'*}
    wanted=$(tail -n +2 <<<"$wanted")
    if [[ $seen == *" $name "* ]]; then continue; fi
    seen+="$name "
    file=$(find "$sysroot"/{,usr/}lib/*-linux-gnu -maxdepth 1 -name "$name" -print -quit)
    [ -n "$file" ] || die "the sysroot has no $name" "scripts/sysroot.sh names its packages"
    echo "$file"
    wanted=$(printf '%s\n' "$wanted" "$(needed "$file")" | sed '/^$/d')
  done
}

need_tmp
payload=$OW_TMP/payload
mkdir -p "$payload/lib"
libraries=own_libraries
if [ -z "$agent" ]; then
  deb=$(find "$OW_ROOT/build/package" -name "oomwitness_*_$arch.deb" -print -quit 2>/dev/null || true)
  [ -n "$deb" ] || skip "there is no package for $arch (scripts/package.sh --deb --arch $arch)"
  dpkg-deb -x "$deb" "$OW_TMP/unpacked"
  agent=$OW_TMP/unpacked/usr/libexec/oomwitness/oomwitness-agent
  history=$OW_TMP/unpacked/usr/libexec/oomwitness/oomwitness-history
  libraries=sysroot_libraries
elif [ "$(dpkg --print-architecture)" != "$arch" ]; then
  skip "the agent of this build is not for $arch"
fi
for program in "$agent" "$history"; do "$strip" -o "$payload/$(basename "$program")" "$program"; done
"$libraries" >"$OW_TMP/libraries"
while read -r file; do "$strip" -o "$payload/lib/$(basename "$file")" "$(realpath "$file")"; done \
  <"$OW_TMP/libraries"
provoke=$(find "$static" -name provoke -type f -executable -print -quit 2>/dev/null || true)
[ -n "$provoke" ] || die "provoke is not built in $static" "cmake --build $static --target provoke"
"$strip" -o "$payload/provoke" "$provoke"
cp "$OW_ROOT/tests/vm/small_host_guest.sh" "$payload/"

image=$("$OW_ROOT/scripts/vm/image.sh" "$KERNEL" "$arch")
key=$({
  hash_of "$payload"/*.sh "$payload"/oom* "$payload"/provoke "$payload"/lib/* "$image/packages" \
    "$OW_ROOT"/scripts/vm/{run.sh,init}
  echo "$MEMORY $kills"
} | sha256sum | cut -d' ' -f1)
if kept_result "small_host-$arch" "$key" "$out"; then
  cat "$out/figures.txt"
  exit
fi
"$OW_ROOT/scripts/vm/run.sh" --kernel "$KERNEL" --arch "$arch" --memory "$MEMORY" --timeout 400 \
  --payload "$payload" --out "$out" -- sh /payload/small_host_guest.sh "$kills"
keep_result "small_host-$arch" "$key" "$out"
