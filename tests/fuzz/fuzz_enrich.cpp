// SPDX-License-Identifier: BSD-2-Clause
// Every parser of bytes from outside in user/enrich. The first byte of an input chooses which.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "enrich/bounded_read.h"
#include "enrich/cgroup_path.h"
#include "enrich/gfp_table.h"
#include "enrich/memory_files.h"
#include "enrich/pid_ns.h"
#include "enrich/procfs.h"
#include "enrich/runtime_json.h"
#include "enrich/users.h"

namespace oomwitness {
namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void fuzz_cgroup_path(std::string_view text) {
  const auto identity = parse_cgroup_path(text);
  // Ids become parts of file names.
  if (identity.container) check(is_single_component(identity.container->id));
  if (identity.unit) check(text.find(*identity.unit) != std::string_view::npos);
  if (identity.pod_uid) check(is_single_component(*identity.pod_uid));
}

void fuzz_stat(std::string_view text) {
  const auto stat = parse_proc_stat(text);
  if (stat) check(text.find(stat->comm) != std::string_view::npos);
}

void fuzz_gfp(std::string_view text) {
  const auto table = parse_gfp_format(text);
  if (!table) return;
  for (const GfpName& known : table->names()) {
    check(known.mask != 0);
    check(!table->decode(known.mask).empty());
  }
  check(!table->decode(0xffffffff).empty());
}

void fuzz_runtime_json(std::string_view text) {
  static_cast<void>(parse_docker_config(text));
  static_cast<void>(parse_oci_config(text));
  static_cast<void>(parse_storage_index(text, "a"));
}

void fuzz_proc_texts(std::string_view text) {
  static_cast<void>(parse_proc_status(text));
  static_cast<void>(parse_proc_cgroup(text));
  static_cast<void>(parse_ns_link(text));
  std::size_t size = 0;
  for (const auto& arg : split_cmdline(text)) size += arg.size() + 1;
  check(size == text.size() || size == text.size() + 1);
}

void fuzz_memory_files(std::string_view text) {
  static_cast<void>(find_memcg_mount(text));
  static_cast<void>(parse_memory_stat(text, true));
  static_cast<void>(parse_memory_stat(text, false));
  static_cast<void>(parse_meminfo(text));
}

}  // namespace
}  // namespace oomwitness

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace oomwitness;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0]) {
    case 'c': fuzz_cgroup_path(text); break;
    case 's': fuzz_stat(text); break;
    case 'g': fuzz_gfp(text); break;
    case 'p': static_cast<void>(find_user(text, 1000)); break;
    case 'j': fuzz_runtime_json(text); break;
    case 't': fuzz_proc_texts(text); break;
    case 'm': fuzz_memory_files(text); break;
    default: break;
  }
  return 0;
}
