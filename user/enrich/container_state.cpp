// SPDX-License-Identifier: BSD-2-Clause
#include "enrich/container_state.h"

#include <array>
#include <utility>

#include "enrich/bounded_read.h"
#include "enrich/pod_logs.h"
#include "enrich/runtime_json.h"
#include "enrich/text_scan.h"

namespace oomwitness {
namespace {

constexpr std::size_t kMaxNamespaces = 64;

// RuntimeRecord::runtime of a machine that systemd-machined knows to be a virtual one.
constexpr std::string_view kNoContainer = "vm";

// Bundles of containerd's running tasks, below them NAMESPACE/ID/config.json.
constexpr std::array<std::string_view, 4> kTaskFolders = {
    "run/containerd/io.containerd.runtime.v2.task",
    "run/containerd/io.containerd.runtime.v1.linux",
    "run/k3s/containerd/io.containerd.runtime.v2.task",
    "var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task",
};

// containers/storage, shared by CRI-O and podman: the state of running containers, then the rest.
constexpr std::array<std::string_view, 2> kStorageFolders = {
    "run/containers/storage/overlay-containers",
    "var/lib/containers/storage/overlay-containers",
};

// A record, or nothing when the runtime does not know the id, or why its file cannot be used.
using Found = Result<Opt<RuntimeRecord>>;

bool is_absent(const Error& error) {
  return error.code() == std::errc::no_such_file_or_directory;
}

Found record_in(const std::string& path, Result<RuntimeRecord> (*parse)(std::string_view)) {
  const auto text = read_state_file(path);
  if (!text && is_absent(text.error())) return Opt<RuntimeRecord>();
  if (!text) return tl::make_unexpected(text.error());
  auto record = parse(*text);
  if (!record) return tl::make_unexpected(std::move(record).error().during("parse " + path));
  return Opt<RuntimeRecord>(std::move(*record));
}

Found from_docker(const Roots& roots, const std::string& id) {
  return record_in(roots.under_root("var/lib/docker/containers/" + id + "/config.v2.json"),
                   parse_docker_config);
}

Found from_task_folder(const std::string& folder, const std::string& id) {
  const auto namespaces = list_folder(folder, kMaxNamespaces);
  if (!namespaces && is_absent(namespaces.error())) return Opt<RuntimeRecord>();
  if (!namespaces) return tl::make_unexpected(namespaces.error());
  const std::string file = id + "/config.json";
  for (const std::string& name : *namespaces) {
    const std::string bundle = Roots::join(folder, name);
    TRY(auto record, record_in(Roots::join(bundle, file), parse_oci_config));
    if (!record) continue;
    record->runtime = name == "moby" ? "docker" : "containerd";
    return record;
  }
  return Opt<RuntimeRecord>();
}

Found from_containerd(const Roots& roots, const std::string& id) {
  for (const std::string_view tasks : kTaskFolders) {
    TRY(auto record, from_task_folder(roots.under_root(tasks), id));
    if (record) return record;
  }
  return Opt<RuntimeRecord>();
}

Found from_index(const std::string& path, const std::string& id) {
  const auto text = read_state_file(path);
  if (!text && is_absent(text.error())) return Opt<RuntimeRecord>();
  if (!text) return tl::make_unexpected(text.error());
  auto record = parse_storage_index(*text, id);
  if (!record) return tl::make_unexpected(std::move(record).error().during("parse " + path));
  return record;
}

Found from_storage_index(const Roots& roots, const std::string& id) {
  for (const std::string_view storage : kStorageFolders) {
    const std::string folder = roots.under_root(storage);
    for (const std::string_view index : {"containers.json", "volatile-containers.json"}) {
      TRY(auto record, from_index(Roots::join(folder, index), id));
      if (record) return record;
    }
  }
  return Opt<RuntimeRecord>();
}

Found from_storage(const Roots& roots, const std::string& id) {
  Opt<RuntimeRecord> bundle;
  for (const std::string_view storage : kStorageFolders) {
    const std::string file = id + "/userdata/config.json";
    TRY(bundle, record_in(roots.under_root(Roots::join(storage, file)), parse_oci_config));
    if (bundle) break;
  }
  // podman keeps name and image in the index alone.
  if (bundle && !bundle->name.empty() && !bundle->image.empty()) return bundle;
  TRY(auto indexed, from_storage_index(roots, id));
  if (!bundle) return indexed;
  if (indexed && bundle->name.empty()) bundle->name = indexed->name;
  if (indexed && bundle->image.empty()) bundle->image = indexed->image;
  return bundle;
}

// "KEY=VALUE" lines of systemd-machined (src/machine/machine.c machine_save).
Found from_machined(const Roots& roots, const std::string& id) {
  const auto text = read_state_file(roots.under_root("run/systemd/machines/" + id));
  if (!text && is_absent(text.error())) return Opt<RuntimeRecord>();
  if (!text) return tl::make_unexpected(text.error());
  RuntimeRecord record{"systemd-nspawn", id, {}, {}};
  for (std::string_view rest = *text; !rest.empty();) {
    std::string_view line = next_piece(rest, '\n');
    // The tree it runs in is the nearest that nspawn has to an image.
    if (eat_prefix(line, "ROOT=")) record.image = line;
    if (eat_prefix(line, "CLASS=") && line != "container") record.runtime = kNoContainer;
  }
  return Opt<RuntimeRecord>(std::move(record));
}

Found from_lxc(const Roots& roots, const std::string& id) {
  const auto text = read_state_file(roots.under_root("var/lib/lxc/" + id + "/config"));
  RuntimeRecord record{"lxc", id, {}, {}};
  if (!text && is_absent(text.error())) return Opt<RuntimeRecord>(std::move(record));
  if (!text) return tl::make_unexpected(text.error());
  for (std::string_view rest = *text; !rest.empty();) {
    std::string_view line = next_piece(rest, '\n');
    const std::string_view key = trim(next_piece(line, '='));
    if (key == "lxc.rootfs.path" || key == "lxc.rootfs") record.image = trim(line);
  }
  return Opt<RuntimeRecord>(std::move(record));
}

struct RuntimeReader {
  std::string_view runtime;
  Found (*read)(const Roots&, const std::string& id);
};

constexpr std::array kReaders = {
    RuntimeReader{"docker", from_docker}, RuntimeReader{"containerd", from_containerd},
    RuntimeReader{"cri-o", from_storage}, RuntimeReader{"podman", from_storage},
    RuntimeReader{"lxc", from_lxc},       RuntimeReader{"systemd-nspawn", from_machined},
};

// Ids that only a state file can give to a runtime are theirs who name containers by long ids.
bool asks(const RuntimeReader& reader, const ContainerRef& ref) {
  if (!ref.runtime.empty()) return reader.runtime == ref.runtime;
  return reader.runtime == "docker" || reader.runtime == "containerd" || reader.runtime == "podman";
}

Found find_record(const Roots& roots, const ContainerRef& ref) {
  Found outcome = Opt<RuntimeRecord>();
  if (!is_single_component(ref.id)) return fail("the container's id cannot be a folder's name");
  for (const RuntimeReader& reader : kReaders) {
    if (!asks(reader, ref)) continue;
    auto found = reader.read(roots, ref.id);
    if (found && *found) return found;
    if (!found) outcome = std::move(found);
  }
  return outcome;
}

Opt<Pod> pod_from_logs(const Roots& roots, const CgroupIdentity& identity, std::string& why) {
  if (identity.container) {
    auto pod = find_pod_of_container(roots, identity.container->id);
    if (pod && *pod) return std::move(*pod);
    if (!pod) why = pod.error().message();
  }
  if (identity.pod_uid) {
    auto pod = find_pod_by_uid(roots, *identity.pod_uid);
    if (pod && *pod) return std::move(*pod);
    if (!pod) why = pod.error().message();
  }
  return std::nullopt;
}

void add_pod(const Roots& roots, const CgroupIdentity& identity, const Opt<RuntimeRecord>& record,
             ContainerFacts& facts) {
  if (record && !record->pod.name.empty()) facts.pod = record->pod;
  std::string why = "neither the runtime's state nor the kubelet's log links name it";
  if (!facts.pod && identity.pod_uid) facts.pod = pod_from_logs(roots, identity, why);
  if (!facts.pod && identity.pod_uid) {
    facts.pod.emplace();
    facts.missing["pod.name"] = why;
  }
  if (facts.pod && facts.pod->uid.empty()) {
    facts.pod->uid = identity.pod_uid.value_or("");
  }
}

// `why`: for what the record does not say.
Container container_of(const ContainerRef& ref, const Opt<RuntimeRecord>& record,
                       const std::string& why, ContainerFacts& facts) {
  Container container{ref.runtime, ref.id, {}, {}};
  if (record) {
    if (container.runtime.empty()) container.runtime = record->runtime;
    container.name = record->name;
    container.image = record->image;
  }
  if (container.name.empty() && facts.pod) container.name = facts.pod->container;
  if (container.runtime.empty()) facts.missing["container.runtime"] = why;
  if (container.name.empty()) facts.missing["container.name"] = why;
  if (container.image.empty()) facts.missing["container.image"] = why;
  return container;
}

void add_container(const ContainerRef& ref, const Found& found, ContainerFacts& facts) {
  const Opt<RuntimeRecord> record = found ? *found : std::nullopt;
  if (ref.needs_state && !record) {
    facts.missing["container"] = "no container runtime knows '" + ref.id + "'";
  } else if (record && record->runtime == kNoContainer) {
    facts.missing["container"] = "its cgroup is a virtual machine's";
  } else {
    std::string why = "no state file of a container runtime has this id";
    if (record) why = "the runtime's state does not say";
    if (!found) why = found.error().message();
    facts.container = container_of(ref, record, why, facts);
  }
}

}  // namespace

ContainerFacts read_container(const Roots& roots, const CgroupIdentity& identity) {
  ContainerFacts facts;
  Found found = Opt<RuntimeRecord>();
  if (identity.container) found = find_record(roots, *identity.container);
  add_pod(roots, identity, found ? *found : Opt<RuntimeRecord>(), facts);
  if (identity.container) add_container(*identity.container, found, facts);
  return facts;
}

}  // namespace oomwitness
