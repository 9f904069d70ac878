// SPDX-License-Identifier: BSD-2-Clause
// Pods by the names of the kubelet's log files, for runtimes whose own state is out of reach.
#pragma once

#include <string_view>

#include "enrich/roots.h"
#include "incident/incident.h"
#include "support/result.h"

namespace oomwitness {

// var/log/containers/POD_NAMESPACE_CONTAINER-ID.log. Absent: no such link.
Result<Opt<Pod>> find_pod_of_container(const Roots& roots, std::string_view container_id);

// var/log/pods/NAMESPACE_POD_UID/CONTAINER/; the container only when there is just one.
Result<Opt<Pod>> find_pod_by_uid(const Roots& roots, std::string_view uid);

}  // namespace oomwitness
