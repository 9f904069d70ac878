// SPDX-License-Identifier: BSD-2-Clause
// What a cgroup's path says about its processes: systemd unit, container, pod. Pure: no file is
// read. Paths are hostile bytes; a name counts only when it has exactly the runtime's form.
#pragma once

#include <string>
#include <string_view>

#include "incident/incident.h"

namespace oomwitness {

struct ContainerRef {
  // As Container::runtime. Empty: the path names a container but not whose (the cgroupfs driver
  // calls all of them by their bare id); the runtimes' state files can tell.
  std::string runtime;
  std::string id;
  // The path alone is not enough: report it only if a runtime's state file knows the id.
  bool needs_state = false;
};

struct CgroupIdentity {
  Opt<std::string> unit;  // raw, escapes and instance kept
  Opt<ContainerRef> container;
  Opt<std::string> pod_uid;  // with dashes
};

// The innermost unit (.service or .scope), container and pod of `path`.
CgroupIdentity parse_cgroup_path(std::string_view path);

// systemd's "\x2d" escapes undone (systemd-escape(1)); a broken escape stays as it is.
std::string unescape_unit_name(std::string_view name);

}  // namespace oomwitness
