#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/vm/image.sh KERNEL [ARCH]
#
# Prints the folder of a guest: vmlinuz, base.cpio (busybox and the virtio modules) and packages
# (what both were made of). Fetched and made once; kernels.txt says what there is.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
# shellcheck source=scripts/lib/apt.sh
. "$OW_ROOT/scripts/lib/apt.sh"

kernel=${1:?usage: image.sh KERNEL [ARCH]}
arch=$(debian_arch "${2:-amd64}")
# The init of a guest needs nothing new: the oldest busybox that all hosts' mirrors carry.
BUSYBOX_SUITE=bookworm
# In the order they need each other; a kernel that has one built in has no such file.
MODULES=(virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk)

# kernel_packages SUITE META: the packages below META that carry the kernel and its modules.
# Older suites put both into linux-image-*; newer ones split them, and the image is empty.
kernel_packages() {
  local suite=$1 todo=("$2") seen=' ' package found
  while [ ${#todo[@]} -gt 0 ]; do
    package=${todo[0]}
    todo=("${todo[@]:1}")
    case $seen in *" $package "*) continue ;; esac
    seen+="$package "
    if [ "$package" != "$2" ]; then echo "$package"; fi
    found=$(private_apt "$suite" "$arch" apt-cache show --no-all-versions "$package" |
      sed -n 's/^Depends: //p' | grep -oE 'linux-(image|binary|modules)-[0-9][^ ,|()]*' || true)
    # shellcheck disable=SC2206  # package names hold no blanks
    todo+=($found)
  done
}

# unpack_modules TREE DEST: plain .ko files, whatever the package packed them with.
unpack_modules() {
  local module file
  mkdir -p "$2"
  for module in "${MODULES[@]}"; do
    file=$(find "$1" -path '*/kernel/*' -name "$module.ko*" -print -quit)
    case $file in
      '') continue ;;
      *.xz) xz -dc "$file" >"$2/$module.ko" ;;
      *.zst) zstd -qdc "$file" >"$2/$module.ko" ;;
      *) cp "$file" "$2/$module.ko" ;;
    esac
    echo "$module" >>"$2/order"
  done
}

make_image() {
  local dest=$1 tree=$OW_TMP/tree root=$OW_TMP/root deb vmlinuz
  shift
  mkdir -p "$tree" "$root/bin"
  for deb in "$@"; do dpkg-deb -x "$deb" "$tree"; done
  vmlinuz=$(find "$tree/boot" "$tree/usr/lib/modules" "$tree/lib/modules" \
    -name 'vmlinuz*' -type f -print -quit 2>/dev/null || true)
  [ -n "$vmlinuz" ] || die "no vmlinuz in the packages of kernel $kernel ($arch): $*" \
    "Debian may have renamed them again: see kernel_packages in scripts/vm/image.sh"
  unpack_modules "$tree" "$root/modules"
  cp "$tree/bin/busybox" "$root/bin/busybox" 2>/dev/null || cp "$tree/usr/bin/busybox" "$root/bin/"
  ln -s busybox "$root/bin/sh"
  mkdir -p "$dest.new"
  cp "$vmlinuz" "$dest.new/vmlinuz"
  (cd "$root" && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) >"$dest.new/base.cpio"
  printf '%s\n' "${@##*/}" >"$dest.new/packages"
  rm -rf "$dest"
  mv "$dest.new" "$dest"
}

read -r suite meta < <(awk -v k="$kernel" -v a="$arch" '$1 == k && $2 == a { print $3, $4 }' \
  "$OW_ROOT/scripts/vm/kernels.txt") ||
  die "there is no guest kernel '$kernel' for $arch" \
    "scripts/vm/kernels.txt has: $(awk '/^[^#]/ { printf "%s/%s ", $1, $2 }' \
      "$OW_ROOT/scripts/vm/kernels.txt")"

dir=$OW_CACHE/vm/images
mkdir -p "$dir"
# Two guests may ask at once; the second waits and finds the work done.
exec 9>"$dir/lock"
flock 9

made=$dir/$kernel-$arch
if [ "$made/packages" -nt "$OW_CACHE/apt/$suite-$arch/updated" ] &&
  younger_than "$OW_CACHE/apt/$suite-$arch/updated" "$APT_INDEX_DAYS" &&
  [ "$made/packages" -nt "$OW_ROOT/scripts/vm/image.sh" ]; then
  echo "$made"
  exit
fi

private_index "$suite" "$arch"
private_index "$BUSYBOX_SUITE" "$arch"
packages=$(kernel_packages "$suite" "$meta")
# shellcheck disable=SC2086  # package names hold no blanks
debs=$(fetch_debs "$suite" "$arch" $packages && fetch_debs "$BUSYBOX_SUITE" "$arch" busybox-static)
say "making the guest of kernel $kernel ($arch): $(echo "$packages" | head -n 1)"
need_tmp
# shellcheck disable=SC2086
make_image "$made" $debs
echo "$made"
