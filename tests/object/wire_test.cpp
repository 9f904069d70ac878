// SPDX-License-Identifier: BSD-2-Clause
// The wire as clang laid it out for BPF (the object's BTF) against the C++ compiler's.
#include <bpf/btf.h>

#include <cstddef>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>

#include "bpf/event.h"
#include "capture/bpf/skeleton.h"

namespace oomwitness {
namespace {

struct Field {
  std::string name;
  std::size_t offset;
  std::size_t size;

  bool operator==(const Field&) const = default;
};

void PrintTo(const Field& field, std::ostream* out) {
  *out << field.name << " at " << field.offset << ", " << field.size << " bytes";
}

struct Record {
  std::size_t size;
  std::vector<Field> fields;
};

#define FIELD(record, member)                                 \
  Field {                                                     \
#member, offsetof(record, member), sizeof(record::member) \
  }
#define RECORD(record, ...) \
  {                         \
#record, Record {       \
      sizeof(record), {     \
        __VA_ARGS__         \
      }                     \
    }                       \
  }

// NOLINTNEXTLINE(readability-function-size): a table
std::map<std::string, Record> in_cpp() {
  return {
      RECORD(ow_header, FIELD(ow_header, kind), FIELD(ow_header, version), FIELD(ow_header, size),
             FIELD(ow_header, ktime_ns), FIELD(ow_header, decision), FIELD(ow_header, has)),
      RECORD(ow_path, FIELD(ow_path, used), FIELD(ow_path, levels), FIELD(ow_path, truncated),
             FIELD(ow_path, names)),
      RECORD(ow_invoker, FIELD(ow_invoker, pid), FIELD(ow_invoker, tid), FIELD(ow_invoker, uid),
             FIELD(ow_invoker, oom_score_adj), FIELD(ow_invoker, kernel_thread),
             FIELD(ow_invoker, comm)),
      RECORD(ow_decision, FIELD(ow_decision, hdr), FIELD(ow_decision, total_pages),
             FIELD(ow_decision, chosen_points), FIELD(ow_decision, nodemask),
             FIELD(ow_decision, mems_allowed), FIELD(ow_decision, chosen_start_ns),
             FIELD(ow_decision, gfp_mask), FIELD(ow_decision, order),
             FIELD(ow_decision, constraint), FIELD(ow_decision, chosen_pid),
             FIELD(ow_decision, chosen_tid), FIELD(ow_decision, chosen_state),
             FIELD(ow_decision, chosen_comm), FIELD(ow_decision, message),
             FIELD(ow_decision, cpuset), FIELD(ow_decision, invoker), FIELD(ow_decision, cgroup)),
      RECORD(ow_memcg_level, FIELD(ow_memcg_level, cgroup_id), FIELD(ow_memcg_level, usage_pages),
             FIELD(ow_memcg_level, limit_pages), FIELD(ow_memcg_level, swap_usage_pages),
             FIELD(ow_memcg_level, swap_limit_pages), FIELD(ow_memcg_level, failcnt),
             FIELD(ow_memcg_level, oom_group), FIELD(ow_memcg_level, v1),
             FIELD(ow_memcg_level, counts_failures), FIELD(ow_memcg_level, pad)),
      RECORD(ow_memcg, FIELD(ow_memcg, hdr), FIELD(ow_memcg, subject), FIELD(ow_memcg, pid),
             FIELD(ow_memcg, levels), FIELD(ow_memcg, truncated), FIELD(ow_memcg, level),
             FIELD(ow_memcg, path)),
      RECORD(ow_candidate, FIELD(ow_candidate, points), FIELD(ow_candidate, start_ns),
             FIELD(ow_candidate, total_vm_pages), FIELD(ow_candidate, anon_pages),
             FIELD(ow_candidate, file_pages), FIELD(ow_candidate, shmem_pages),
             FIELD(ow_candidate, swap_pages), FIELD(ow_candidate, pgtables_bytes),
             FIELD(ow_candidate, pid), FIELD(ow_candidate, uid), FIELD(ow_candidate, oom_score_adj),
             FIELD(ow_candidate, has_memory), FIELD(ow_candidate, pad), FIELD(ow_candidate, comm)),
      RECORD(ow_candidates, FIELD(ow_candidates, hdr), FIELD(ow_candidates, considered),
             FIELD(ow_candidates, unkillable), FIELD(ow_candidates, listed),
             FIELD(ow_candidates, way), FIELD(ow_candidates, top)),
      RECORD(ow_user_frame, FIELD(ow_user_frame, status), FIELD(ow_user_frame, build_id),
             FIELD(ow_user_frame, offset)),
      RECORD(ow_stack, FIELD(ow_stack, hdr), FIELD(ow_stack, kernel_frames),
             FIELD(ow_stack, user_frames), FIELD(ow_stack, kernel), FIELD(ow_stack, user),
             FIELD(ow_stack, symbol)),
      RECORD(ow_system, FIELD(ow_system, hdr), FIELD(ow_system, counter)),
      RECORD(ow_ns_pid, FIELD(ow_ns_pid, pid), FIELD(ow_ns_pid, ns_inum)),
      RECORD(ow_ancestor, FIELD(ow_ancestor, pid), FIELD(ow_ancestor, comm)),
      RECORD(
          ow_victim, FIELD(ow_victim, hdr), FIELD(ow_victim, start_ns), FIELD(ow_victim, cgroup_id),
          FIELD(ow_victim, total_vm_pages), FIELD(ow_victim, anon_pages),
          FIELD(ow_victim, file_pages), FIELD(ow_victim, shmem_pages), FIELD(ow_victim, swap_pages),
          FIELD(ow_victim, pgtables_bytes), FIELD(ow_victim, pid), FIELD(ow_victim, tid),
          FIELD(ow_victim, ppid), FIELD(ow_victim, uid), FIELD(ow_victim, role),
          FIELD(ow_victim, seen_at), FIELD(ow_victim, state), FIELD(ow_victim, threads),
          FIELD(ow_victim, ns_levels), FIELD(ow_victim, ancestors), FIELD(ow_victim, oom_score_adj),
          FIELD(ow_victim, oom_group), FIELD(ow_victim, exe_deleted), FIELD(ow_victim, pad),
          FIELD(ow_victim, comm), FIELD(ow_victim, ns_pid), FIELD(ow_victim, ancestor),
          FIELD(ow_victim, invoker), FIELD(ow_victim, cgroup), FIELD(ow_victim, exe)),
      RECORD(ow_mark, FIELD(ow_mark, hdr), FIELD(ow_mark, total_vm_bytes),
             FIELD(ow_mark, anon_bytes), FIELD(ow_mark, file_bytes), FIELD(ow_mark, shmem_bytes),
             FIELD(ow_mark, pgtables_bytes), FIELD(ow_mark, pid), FIELD(ow_mark, tid),
             FIELD(ow_mark, uid), FIELD(ow_mark, oom_score_adj), FIELD(ow_mark, pad),
             FIELD(ow_mark, comm), FIELD(ow_mark, invoker)),
      RECORD(ow_argv, FIELD(ow_argv, hdr), FIELD(ow_argv, argv_bytes), FIELD(ow_argv, captured),
             FIELD(ow_argv, error), FIELD(ow_argv, pid), FIELD(ow_argv, tid), FIELD(ow_argv, argv)),
      RECORD(ow_reap, FIELD(ow_reap, hdr), FIELD(ow_reap, tid), FIELD(ow_reap, phase)),
      RECORD(ow_exit, FIELD(ow_exit, hdr), FIELD(ow_exit, pid), FIELD(ow_exit, exit_code))};
}
#undef FIELD
#undef RECORD

// Every struct of the wire that the object's BTF has.
std::map<std::string, Record> in_btf(const btf* object) {
  std::map<std::string, Record> records;
  for (std::uint32_t id = 1; id < btf__type_cnt(object); ++id) {
    const btf_type* type = btf__type_by_id(object, id);
    const std::string name = btf__name_by_offset(object, type->name_off);
    if (!btf_is_struct(type) || !name.starts_with("ow_")) continue;
    Record record{.size = type->size, .fields = {}};
    for (std::uint32_t i = 0; i < btf_vlen(type); ++i) {
      const btf_member& member = btf_members(type)[i];
      record.fields.push_back({btf__name_by_offset(object, member.name_off),
                               btf_member_bit_offset(type, i) / 8,
                               static_cast<std::size_t>(btf__resolve_size(object, member.type))});
    }
    records.emplace(name, record);
  }
  return records;
}

TEST(Wire, HasOneLayoutOnBothSides) {
  auto opened = Opened::open();
  ASSERT_TRUE(opened) << opened.error().message();
  const auto btf_records = in_btf(bpf_object__btf((*opened)->obj));
  for (const auto& [name, record] : in_cpp()) {
    SCOPED_TRACE(name);
    const auto found = btf_records.find(name);
    ASSERT_NE(found, btf_records.end()) << "not in the object's BTF: anchor it (abi_*)";
    EXPECT_EQ(found->second.size, record.size);
    EXPECT_THAT(found->second.fields, testing::ElementsAreArray(record.fields));
  }
}

}  // namespace
}  // namespace oomwitness
