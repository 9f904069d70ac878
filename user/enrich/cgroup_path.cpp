// SPDX-License-Identifier: BSD-2-Clause
#include "enrich/cgroup_path.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "enrich/bounded_read.h"
#include "enrich/number.h"
#include "enrich/text_scan.h"

namespace oomwitness {
namespace {

constexpr std::size_t kIdLength = 64;  // docker, containerd's CRI, CRI-O, podman: a SHA-256's size

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_long_id(std::string_view id) {
  return id.size() == kIdLength && std::all_of(id.begin(), id.end(), is_hex);
}

// Names that containerd accepts for containers and lxc for its own (identifiers.Validate): they
// end up in paths of state files.
bool is_short_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  };
  return is_single_component(name) && name.size() <= 76 &&
         std::all_of(name.begin(), name.end(), good);
}

struct Prefix {
  std::string_view text;
  std::string_view runtime;
};

// "<prefix><id>", with ".scope" under the systemd driver. The conmon scopes hold the monitor, a
// process of the host, and do not match because "conmon-..." is no id.
constexpr std::array kPrefixes = {
    Prefix{"docker-", "docker"},         Prefix{"cri-containerd-", "containerd"},
    Prefix{"nerdctl-", "containerd"},    Prefix{"crio-", "cri-o"},
    Prefix{"libpod-payload-", "podman"}, Prefix{"libpod-", "podman"},
};

// "SLICE:PREFIX:ID": a slice path meant for the systemd driver, taken literally by a runtime that
// was left on cgroupfs.
constexpr std::array kColonPrefixes = {
    Prefix{"cri-containerd", "containerd"},
    Prefix{"nerdctl", "containerd"},
    Prefix{"docker", "docker"},
    Prefix{"crio", "cri-o"},
    Prefix{"libpod", "podman"},
};

using Ref = Opt<ContainerRef>;

Ref make_ref(std::string_view runtime, std::string_view id, bool needs_state = false) {
  return ContainerRef{std::string(runtime), std::string(id), needs_state};
}

Ref from_prefix(std::string_view name) {
  eat_suffix(name, ".scope");
  for (const Prefix& prefix : kPrefixes) {
    std::string_view id = name;
    if (eat_prefix(id, prefix.text) && is_long_id(id)) return make_ref(prefix.runtime, id);
  }
  return std::nullopt;
}

Ref from_colons(std::string_view name) {
  const auto last = name.rfind(':');
  if (last == std::string_view::npos || last == 0) return std::nullopt;
  const std::string_view id = name.substr(last + 1);
  const auto first = name.rfind(':', last - 1);
  if (first == std::string_view::npos || first == 0 || !is_long_id(id)) return std::nullopt;
  const std::string_view prefix = name.substr(first + 1, last - first - 1);
  for (const Prefix& known : kColonPrefixes)
    if (prefix == known.text) return make_ref(known.runtime, id);
  return std::nullopt;
}

// Names of machines under systemd-machined. Scopes of virtual machines look the same but for
// libvirt's driver name in front.
Ref from_machine(std::string_view name) {
  if (eat_prefix(name, "systemd-nspawn@") && eat_suffix(name, ".service") &&
      is_single_component(name))
    return make_ref("systemd-nspawn", name);
  if (!eat_prefix(name, "machine-") || !eat_suffix(name, ".scope")) return std::nullopt;
  const std::string machine = unescape_unit_name(name);
  const std::string_view view = machine;
  if (view.starts_with("qemu-") || view.starts_with("lxc-") || view.starts_with("ch-"))
    return std::nullopt;
  return is_short_name(view) ? make_ref("systemd-nspawn", view) : std::nullopt;
}

Ref from_lxc(std::string_view name, std::string_view parent) {
  if (eat_prefix(name, "lxc.payload.") || parent == "lxc" || parent == "lxc.payload") {
    if (is_short_name(name)) return make_ref("lxc", name);
  }
  return std::nullopt;
}

// Bare ids under the cgroupfs driver: the parent may say whose.
Ref from_bare_id(std::string_view name, std::string_view parent, std::size_t depth) {
  if (is_long_id(name)) return make_ref(parent == "docker" ? "docker" : "", name);
  // `ctr run` puts a container of any name under its containerd namespace.
  if (depth == 1 && parent == "default" && is_short_name(name))
    return make_ref("containerd", name, true);
  return std::nullopt;
}

Ref container_of(const std::vector<std::string_view>& parts, std::size_t i) {
  const std::string_view parent = i > 0 ? parts[i - 1] : std::string_view();
  if (auto ref = from_prefix(parts[i])) return ref;
  if (auto ref = from_colons(parts[i])) return ref;
  // nspawn's own process runs beside its payload, in "supervisor".
  if (i + 1 >= parts.size() || parts[i + 1] != "supervisor")
    if (auto ref = from_machine(parts[i])) return ref;
  if (auto ref = from_lxc(parts[i], parent)) return ref;
  return from_bare_id(parts[i], parent, i);
}

bool is_pod_uid(std::string_view uid) {
  // A UUID, or for static pods the kubelet's hash of their manifest.
  return (uid.size() == 36 || uid.size() == 32) &&
         std::all_of(uid.begin(), uid.end(), [](char c) { return is_hex(c) || c == '-'; });
}

Opt<std::string> pod_of(const std::vector<std::string_view>& parts, std::size_t i) {
  // "kubepods-burstable-podUID.slice:cri-containerd:ID" carries the pod too.
  std::string_view name = parts[i].substr(0, parts[i].find(':'));
  std::string uid;
  if (eat_suffix(name, ".slice")) {
    // A node inside a container prefixes its slices: "kubelet-kubepods-pod...".
    const auto pod = name.rfind("-pod");
    if (pod == std::string_view::npos || name.find("kubepods") > pod) return std::nullopt;
    uid = name.substr(pod + 4);
    std::replace(uid.begin(), uid.end(), '_', '-');
  } else if (eat_prefix(name, "pod")) {
    const auto end = parts.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(parts.begin(), end, "kubepods") == end) return std::nullopt;
    uid = name;
  }
  return is_pod_uid(uid) ? Opt<std::string>(std::move(uid)) : std::nullopt;
}

bool is_unit(std::string_view name) {
  const bool named = eat_suffix(name, ".service") || eat_suffix(name, ".scope");
  return named && !name.empty() && name.find(':') == std::string_view::npos;
}

}  // namespace

CgroupIdentity parse_cgroup_path(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty())
    if (const auto part = next_piece(path, '/'); !part.empty()) parts.push_back(part);

  CgroupIdentity identity;
  for (std::size_t i = parts.size(); i-- > 0;) {
    if (!identity.unit && is_unit(parts[i])) identity.unit = parts[i];
    if (!identity.container) identity.container = container_of(parts, i);
    if (!identity.pod_uid) identity.pod_uid = pod_of(parts, i);
  }
  return identity;
}

std::string unescape_unit_name(std::string_view name) {
  std::string plain;
  while (!name.empty()) {
    const auto code = name.starts_with("\\x") && name.size() >= 4
                          ? parse_number<unsigned char>(name.substr(2, 2), 16)
                          : std::nullopt;
    plain += code ? static_cast<char>(*code) : name.front();
    name.remove_prefix(code ? 4 : 1);
  }
  return plain;
}

}  // namespace oomwitness
