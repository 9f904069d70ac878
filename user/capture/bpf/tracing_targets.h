// SPDX-License-Identifier: BSD-2-Clause
// What fentry, fexit and tp_btf programs attach to, found in the kernel's raw BTF.
//
// Left to itself libbpf parses all of the kernel's BTF for that and searches it once for each
// program: half of the time of a start.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "capture/bpf/raw_btf.h"
#include "support/result.h"

struct bpf_object;

namespace oomwitness {

// Section of a program ("fentry/oom_badness") -> id of the function, or of the tracepoint's
// typedef (btf_trace_NAME, include/trace/bpf_probe.h), in the kernel's BTF.
using TargetIds = std::map<std::string, std::uint32_t, std::less<>>;

// The sections of the object's programs that attach by BTF id.
std::vector<std::string> tracing_sections(const bpf_object* object);

// Sections whose target this kernel does not have are left out.
TargetIds find_targets(const RawBtf& kernel, const std::vector<std::string>& sections);

// While it lives, libbpf asks it instead of its own search. libbpf keeps such handlers for the
// whole process: one at a time, and no other thread may use libbpf meanwhile.
class TracingTargets {
 public:
  static Result<TracingTargets> take_over();

  // Until this is called libbpf's own, slow search serves.
  void know(TargetIds ids);

 private:
  struct Handlers;
  explicit TracingTargets(std::shared_ptr<Handlers> handlers) : handlers_(std::move(handlers)) {}
  std::shared_ptr<Handlers> handlers_;
};

}  // namespace oomwitness
