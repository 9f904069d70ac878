// SPDX-License-Identifier: BSD-2-Clause
// Name, image and pod of a container, from its runtime's own state files: no daemon is asked, a
// daemon may be the one that was killed.
#pragma once

#include <map>
#include <string>

#include "enrich/cgroup_path.h"
#include "enrich/roots.h"
#include "incident/incident.h"

namespace oomwitness {

struct ContainerFacts {
  Opt<Container> container;
  Opt<Pod> pod;
  // "container", "container.name", "container.image", "pod", "pod.name" -> why it is not there
  std::map<std::string, std::string> missing;
};

ContainerFacts read_container(const Roots& roots, const CgroupIdentity& identity);

}  // namespace oomwitness
