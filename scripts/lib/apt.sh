# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# A private apt: packages of any Debian suite and architecture, unpacked into the cache, without
# touching the host's own package state. The mirror is the one the host's apt already uses.

APT_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# Kernel packages move; an index older than this is asked for again.
APT_INDEX_DAYS=7

# The mirror that serves the host's own release; OOMWITNESS_MIRROR overrides it.
debian_mirror() {
  if [ -n "${OOMWITNESS_MIRROR:-}" ]; then
    echo "$OOMWITNESS_MIRROR"
    return
  fi
  local codename mirror
  # shellcheck source=/dev/null
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  # shellcheck disable=SC2016  # apt's own placeholders
  mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' \
    'Created-By: Packages' | awk -v release="$codename" \
    '$1 == release && $2 == "main" { print $3; exit }')
  [ -n "$mirror" ] || die "apt is not configured with a mirror of Debian '$codename' main" \
    "add one to /etc/apt/sources.list.d, or set OOMWITNESS_MIRROR to the mirror's address"
  echo "$mirror"
}

# private_apt SUITE ARCH TOOL ARGS...: apt-get or apt-cache on that suite alone.
private_apt() {
  local dir=$OW_CACHE/apt/$1-$2 arch=$2 tool=$3
  shift 3
  # As root apt would drop to a user who cannot enter a cache below /root.
  "$tool" -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Dir::State="$dir/state" -o Dir::State::Lists="$dir/lists" \
    -o Dir::State::Status="$dir/status" -o Dir::Cache="$dir/cache" \
    -o APT::Architecture="$arch" -o APT::Architectures::="$arch" \
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none -qq "$@"
}

# private_index SUITE ARCH: the suite's package index is there and young enough.
private_index() {
  local dir=$OW_CACHE/apt/$1-$2
  if younger_than "$dir/updated" "$APT_INDEX_DAYS"; then return; fi
  say "fetching the package index of Debian $1 ($2)"
  mkdir -p "$dir"/{lists/partial,cache/archives/partial,state}
  : >"$dir/status"
  local mirror
  mirror=$(debian_mirror)
  echo "deb [arch=$2 signed-by=$APT_KEYRING] $mirror $1 main" >"$dir/sources.list"
  if private_apt "$1" "$2" apt-get update -o APT::Update::Error-Mode=any; then
    touch "$dir/updated"
  elif [ -e "$dir/updated" ]; then
    note "the mirror did not answer: going on with the index of $(date -r "$dir/updated" +%F)"
  else
    die "the index of Debian $1 ($2) could not be fetched" \
      "check that the mirror in the apt configuration carries $1, or set OOMWITNESS_MIRROR"
  fi
}

# fetch_debs SUITE ARCH PACKAGE...: prints the files, downloading what is not there yet.
fetch_debs() {
  local suite=$1 arch=$2 store=$OW_CACHE/debs file size
  shift 2
  mkdir -p "$store"
  private_apt "$suite" "$arch" apt-get download --print-uris "$@" | while read -r _ file size _; do
    if [ "$(stat -c %s "$store/$file" 2>/dev/null)" != "$size" ]; then
      note "downloading $file ($((size / 1048576)) MiB)"
      # One package by its own version: the names in the file are apt's, ':' written as %3a.
      (cd "$store" && private_apt "$suite" "$arch" apt-get download \
        "$(deb_spec "$file")" </dev/null >&2) ||
        die "$file could not be downloaded" "run again; finished downloads are kept"
    fi
    echo "$store/$file"
  done
}

# name_version_arch.deb -> name=version
deb_spec() {
  local name version
  IFS=_ read -r name version _ <<<"$1"
  echo "$name=${version//%3a/:}"
}
