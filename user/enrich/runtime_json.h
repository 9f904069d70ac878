// SPDX-License-Identifier: BSD-2-Clause
// The JSON state files of container runtimes. Pure; malformed text is an error.
#pragma once

#include <string>
#include <string_view>

#include "incident/incident.h"
#include "support/result.h"

namespace oomwitness {

struct RuntimeRecord {  // empty strings: the file does not say
  std::string runtime;
  std::string name;
  std::string image;
  Pod pod;
};

// docker's config.v2.json: Name, Config.Image, Config.Labels (the kubelet's, under dockershim).
Result<RuntimeRecord> parse_docker_config(std::string_view text);

// An OCI bundle's config.json: the annotations of containerd's CRI plugin ("io.kubernetes.cri."),
// CRI-O ("io.kubernetes.cri-o.") and nerdctl ("nerdctl/").
Result<RuntimeRecord> parse_oci_config(std::string_view text);

// containers/storage's containers.json: the entry of container `id`, which podman describes in
// its "metadata", JSON within JSON. Absent when the index does not have it.
Result<Opt<RuntimeRecord>> parse_storage_index(std::string_view text, std::string_view id);

}  // namespace oomwitness
