// SPDX-License-Identifier: BSD-2-Clause
#include "enrich/pod_logs.h"

#include <string>

#include "enrich/bounded_read.h"
#include "enrich/text_scan.h"

namespace oomwitness {
namespace {

constexpr std::size_t kMaxEntries = 16384;

}  // namespace

Result<Opt<Pod>> find_pod_of_container(const Roots& roots, std::string_view container_id) {
  TRY(const auto names, list_folder(roots.under_root("var/log/containers"), kMaxEntries));
  const std::string suffix = "-" + std::string(container_id) + ".log";
  for (const std::string& link : names) {
    std::string_view rest = link;
    if (!eat_suffix(rest, suffix)) continue;
    // '_' is in no Kubernetes name (RFC 1123), so it parts them for certain.
    Pod pod;
    pod.name = next_piece(rest, '_');
    pod.ns = next_piece(rest, '_');
    pod.container = rest;
    if (!pod.name.empty() && !pod.ns.empty() && !pod.container.empty()) return Opt<Pod>(pod);
  }
  return Opt<Pod>();
}

Result<Opt<Pod>> find_pod_by_uid(const Roots& roots, std::string_view uid) {
  const std::string folder = roots.under_root("var/log/pods");
  TRY(const auto names, list_folder(folder, kMaxEntries));
  const std::string suffix = "_" + std::string(uid);
  for (const std::string& name : names) {
    std::string_view rest = name;
    if (!eat_suffix(rest, suffix)) continue;
    Pod pod;
    pod.ns = next_piece(rest, '_');
    pod.name = rest;
    pod.uid = uid;
    if (pod.ns.empty() || pod.name.empty()) continue;
    const auto containers = list_folder(Roots::join(folder, name), kMaxEntries);
    if (containers && containers->size() == 1) pod.container = containers->front();
    return Opt<Pod>(pod);
  }
  return Opt<Pod>();
}

}  // namespace oomwitness
