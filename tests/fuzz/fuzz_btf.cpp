// SPDX-License-Identifier: BSD-2-Clause
// Excerpts of broken kernel BTF: an error, or BTF that libbpf takes.
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <cstdlib>
#include <memory>

#include "capture/bpf/btf_excerpt.h"
#include "capture/bpf/tracing_targets.h"

namespace {

struct BtfDeleter {
  void operator()(btf* types) const noexcept { btf__free(types); }
};
using BtfPtr = std::unique_ptr<btf, BtfDeleter>;

// An object that names a few types and members of the seeds.
BtfPtr made_object() {
  BtfPtr types(btf__new_empty());
  const int number = btf__add_int(types.get(), "int", 4, BTF_INT_SIGNED);
  for (const char* name : {"task_struct", "mm_struct", "oom_control", "mem_cgroup"}) {
    btf__add_struct(types.get(), name, 4);
    for (const char* member : {"pid", "mm", "rss_stat", "count", "signal", "memory"}) {
      btf__add_field(types.get(), member, number, 0, 0);
    }
  }
  btf__add_enum(types.get(), "bpf_func_id", 4);
  btf__add_enum_value(types.get(), "BPF_FUNC_snprintf", 0);
  return types;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  libbpf_set_print(nullptr);
  const auto object = made_object();
  const auto kernel = oomwitness::RawBtf::parse(std::as_bytes(std::span(bytes, size)));
  if (!kernel) return 0;
  static_cast<void>(
      oomwitness::find_targets(*kernel, {"fentry/oom_kill_process", "tp_btf/mark_victim"}));
  const auto excerpt = oomwitness::excerpt_btf(*kernel, object.get());
  if (!excerpt) return 0;
  const BtfPtr read(btf__new(excerpt->data(), static_cast<std::uint32_t>(excerpt->size())));
  if (!read) std::abort();
  return 0;
}
