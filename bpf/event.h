/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * The wire between the BPF programs and user space: fixed-size records, each
 * starting with struct ow_header. Compiled by clang -target bpf, by the C++
 * compiler, and compared with the object's BTF by tests/object.
 *
 * Rules: __u8..__u64, __s16..__s64 and char[] only; largest first; padding is
 * named; a value that a kernel may not give has an OW_HAS_ bit; enumerators
 * are frozen: append, never renumber.
 */
#ifndef OW_EVENT_H
#define OW_EVENT_H

#ifndef __VMLINUX_H__ /* vmlinux.h already defines the __u* types */
#include <linux/types.h>
#endif

#ifdef __cplusplus
#include <cstddef>
#define OW_ASSERT(cond)	  static_assert(cond, #cond)
#define OW_OFFSETOF(t, m) offsetof(t, m)
#else
#define OW_ASSERT(cond)	  _Static_assert(cond, #cond)
#define OW_OFFSETOF(t, m) __builtin_offsetof(t, m)
#endif

#define OW_WIRE_VERSION	  1

#define OW_COMM_LEN	  16
#define OW_NAME_MAX	  256  /* NAME_MAX + NUL: one path component */
#define OW_PATH_BYTES	  2048 /* a path: its components, last one first */
#define OW_PATH_LEVELS	  32
#define OW_MEMCG_LEVELS	  16
#define OW_ARGV_BYTES	  4096
#define OW_CANDIDATES	  32
#define OW_KSTACK_FRAMES  24
#define OW_USTACK_FRAMES  24
#define OW_SYMBOL_LEN	  64
#define OW_BUILD_ID_LEN	  20
#define OW_NS_LEVELS	  4
#define OW_ANCESTORS	  8
#define OW_MESSAGE_LEN	  64
#define OW_NODEMASK_WORDS 2 /* nodes 0..127 */

enum ow_kind {
	OW_KIND_INVALID = 0,
	OW_KIND_DECISION = 1,	/* struct ow_decision */
	OW_KIND_MEMCG = 2,	/* struct ow_memcg */
	OW_KIND_CANDIDATES = 3, /* struct ow_candidates */
	OW_KIND_STACK = 4,	/* struct ow_stack */
	OW_KIND_SYSTEM = 5,	/* struct ow_system */
	OW_KIND_VICTIM = 6,	/* struct ow_victim */
	OW_KIND_MARK = 7,	/* struct ow_mark */
	OW_KIND_ARGV = 8,	/* struct ow_argv */
	OW_KIND_REAP = 9,	/* struct ow_reap */
	OW_KIND_EXIT = 10,	/* struct ow_exit */
};

struct ow_header {
	__u16 kind;	/* enum ow_kind */
	__u16 version;	/* OW_WIRE_VERSION */
	__u32 size;	/* whole record, header included */
	__u64 ktime_ns; /* CLOCK_MONOTONIC */
	__u64 decision; /* the oom_kill_process call it belongs to; 0: none known */
	__u64 has;	/* OW_HAS_ bits of this kind of record */
};

/* A path as components, last one first, each NUL-terminated. */
struct ow_path {
	__u32 used;	 /* bytes of names[] in use */
	__u16 levels;	 /* components stored */
	__u16 truncated; /* 1: more components, or no room for them */
	char names[OW_PATH_BYTES + OW_NAME_MAX];
};

/* ---- the decision: oom_kill_process(oc, message), in the invoker's context */

#define OW_HAS_GFP	   (1ULL << 0) /* gfp_mask */
#define OW_HAS_ORDER	   (1ULL << 1)
#define OW_HAS_CONSTRAINT  (1ULL << 2)
#define OW_HAS_TOTAL_PAGES (1ULL << 3)
#define OW_HAS_CHOSEN	   (1ULL << 4)	/* chosen_* */
#define OW_HAS_NODEMASK	   (1ULL << 5)	/* nodemask[]; clear: oc->nodemask is NULL */
#define OW_HAS_MEMS	   (1ULL << 6)	/* mems_allowed[] */
#define OW_HAS_CPUSET	   (1ULL << 7)	/* cpuset[] */
#define OW_HAS_SCAN	   (1ULL << 8)	/* a candidates record was collected */
#define OW_HAS_MEMCG	   (1ULL << 9)	/* oc->memcg is set: a memcg record follows */
#define OW_HAS_CGROUP	   (1ULL << 10) /* cgroup */

/* chosen_state: what the chosen task was already doing when chosen */
#define OW_STATE_SIGKILL_PENDING (1U << 0)
#define OW_STATE_GROUP_EXIT	 (1U << 1)

struct ow_invoker {
	__u32 pid; /* thread group id, initial pid namespace */
	__u32 tid;
	__u32 uid;
	__s16 oom_score_adj;
	__u16 kernel_thread; /* 1: no user memory of its own */
	char comm[OW_COMM_LEN];
};

struct ow_decision {
	struct ow_header hdr;
	__u64 total_pages;   /* the allowance: RAM + swap, or the memcg's limit */
	__s64 chosen_points; /* oom_badness, pages */
	__u64 nodemask[OW_NODEMASK_WORDS];
	__u64 mems_allowed[OW_NODEMASK_WORDS];
	__u64 chosen_start_ns; /* start_boottime */
	__u32 gfp_mask;
	__s32 order;	  /* -1: SysRq-f */
	__u32 constraint; /* enum oom_constraint of the running kernel */
	__u32 chosen_pid;
	__u32 chosen_tid;
	__u32 chosen_state; /* OW_STATE_ */
	char chosen_comm[OW_COMM_LEN];
	char message[OW_MESSAGE_LEN];
	char cpuset[OW_NAME_MAX];
	struct ow_invoker invoker;
	struct ow_path cgroup; /* the invoker's, memory controller */
};

/* ---- the memory cgroup whose limit was hit (or, without a decision hook, the
 * victim's own), leaf first; level i is component i of path */

#define OW_MEMCG_OF_LIMIT  0 /* oc->memcg: its limit was hit */
#define OW_MEMCG_OF_VICTIM 1 /* the victim's: where it lived, not whose limit */

#define OW_LIMIT_NONE	   (~0ULL) /* no limit set */

struct ow_memcg_level {
	__u64 cgroup_id; /* kernfs inode of the cgroup folder */
	__u64 usage_pages;
	__u64 limit_pages;	/* OW_LIMIT_NONE: unlimited */
	__u64 swap_usage_pages; /* v2: swap; v1: memory+swap */
	__u64 swap_limit_pages;
	__u64 failcnt;
	__u8 oom_group;	      /* memory.oom.group */
	__u8 v1;	      /* 1: the swap counter is memory+swap */
	__u8 counts_failures; /* 0: failcnt is not kept */
	__u8 pad[5];
};

struct ow_memcg {
	struct ow_header hdr;
	__u32 subject;	 /* OW_MEMCG_OF_ */
	__u32 pid;	 /* the victim's thread group (OW_MEMCG_OF_VICTIM) */
	__u32 levels;	 /* used entries of level[] */
	__u32 truncated; /* 1: the chain is longer */
	struct ow_memcg_level level[OW_MEMCG_LEVELS];
	struct ow_path path;
};

/* ---- the candidates the kernel weighed, in no order */

#define OW_CANDIDATE_EXACT 0 /* points: what oom_badness returned */
#define OW_CANDIDATE_SUM   1 /* points: the same sum made by us (5.10) */

struct ow_candidate {
	__s64 points;	/* pages, oom_score_adj already in */
	__u64 start_ns; /* start_boottime */
	__u64 total_vm_pages;
	__u64 anon_pages;
	__u64 file_pages;
	__u64 shmem_pages;
	__u64 swap_pages;
	__u64 pgtables_bytes;
	__u32 pid;
	__u32 uid;
	__s16 oom_score_adj;
	__u8 has_memory; /* 0: the task was gone when its sizes were read */
	__u8 pad[5];
	char comm[OW_COMM_LEN];
};

struct ow_candidates {
	struct ow_header hdr;
	__u32 considered; /* tasks weighed, unkillable ones included */
	__u32 unkillable; /* of them: oom_score_adj -1000 and the like */
	__u32 listed;	  /* used entries of top[] */
	__u32 way;	  /* OW_CANDIDATE_ */
	struct ow_candidate top[OW_CANDIDATES];
};

/* ---- the invoker's stacks */

#define OW_HAS_KSTACK  (1ULL << 0)
#define OW_HAS_USTACK  (1ULL << 1)
#define OW_HAS_SYMBOLS (1ULL << 2) /* symbol[] is filled (bpf_snprintf, 5.13) */

struct ow_user_frame { /* struct bpf_stack_build_id */
	__s32 status;  /* 1: build_id and offset; 2: ip only */
	__u8 build_id[OW_BUILD_ID_LEN];
	__u64 offset; /* in the file, or the address when status is 2 */
};

struct ow_stack {
	struct ow_header hdr;
	__u32 kernel_frames;
	__u32 user_frames;
	__u64 kernel[OW_KSTACK_FRAMES];
	struct ow_user_frame user[OW_USTACK_FRAMES];
	char symbol[OW_KSTACK_FRAMES][OW_SYMBOL_LEN];
};

/* ---- system memory at the decision, in pages; bit i of hdr.has: counter i */

enum ow_counter {
	OW_SYS_TOTAL = 0, /* MemTotal */
	OW_SYS_FREE,
	OW_SYS_ACTIVE_ANON,
	OW_SYS_INACTIVE_ANON,
	OW_SYS_ACTIVE_FILE,
	OW_SYS_INACTIVE_FILE,
	OW_SYS_UNEVICTABLE,
	OW_SYS_MLOCK,
	OW_SYS_ANON_MAPPED,
	OW_SYS_FILE_MAPPED,
	OW_SYS_FILE_PAGES,
	OW_SYS_DIRTY,
	OW_SYS_WRITEBACK,
	OW_SYS_SHMEM,
	OW_SYS_SLAB_RECLAIMABLE, /* pages or bytes: has bit OW_SYS_SLAB_BYTES */
	OW_SYS_SLAB_UNRECLAIMABLE,
	OW_SYS_KERNEL_STACK_KB,
	OW_SYS_PAGE_TABLES,
	OW_SYS_SWAP_TOTAL,
	OW_SYS_SWAP_FREE,
	OW_SYS_COUNTERS,
};

struct ow_system {
	struct ow_header hdr;
	__u64 counter[OW_SYS_COUNTERS];
};

/* ---- a victim, wherever its task_struct is first in hand */

#define OW_HAS_MM      (1ULL << 0) /* sizes, start of argv */
#define OW_HAS_EXE     (1ULL << 1)
#define OW_HAS_INVOKER (1ULL << 2)
#define OW_HAS_SHARERS (1ULL << 3) /* mm_users exceeds its threads */

enum ow_role {
	OW_ROLE_UNKNOWN = 0,
	OW_ROLE_CHOSEN = 1,
	OW_ROLE_GROUP = 2, /* memory.oom.group */
	OW_ROLE_SHARED_MM = 3,
	OW_ROLE_EXITING = 4, /* marked, not killed: it was dying already */
};

enum ow_seen_at {
	OW_SEEN_AT_KILL = 1,	/* __oom_kill_process, before its SIGKILL */
	OW_SEEN_AT_MARK = 2,	/* oom:mark_victim */
	OW_SEEN_AT_DELIVER = 3, /* signal:signal_deliver, its own context */
};

struct ow_ns_pid {
	__u32 pid;
	__u32 ns_inum;
};

struct ow_ancestor {
	__u32 pid;
	char comm[OW_COMM_LEN];
};

struct ow_victim {
	struct ow_header hdr;
	__u64 start_ns;	 /* start_boottime */
	__u64 cgroup_id; /* cgroup v2 (default hierarchy) id */
	__u64 total_vm_pages;
	__u64 anon_pages;
	__u64 file_pages;
	__u64 shmem_pages;
	__u64 swap_pages;
	__u64 pgtables_bytes;
	__u32 pid;  /* thread group id */
	__u32 tid;  /* the thread named to the hook */
	__u32 ppid; /* thread group of the real parent */
	__u32 uid;
	__u32 role;    /* enum ow_role */
	__u32 seen_at; /* enum ow_seen_at */
	__u32 state;   /* OW_STATE_ at that moment */
	__u32 threads;
	__u32 ns_levels; /* used entries of ns_pid[] */
	__u32 ancestors; /* used entries of ancestor[] */
	__s16 oom_score_adj;
	__u8 oom_group;	  /* memory.oom.group set on it or above */
	__u8 exe_deleted; /* the file has been unlinked */
	__u32 pad;
	char comm[OW_COMM_LEN];			   /* the group leader's */
	struct ow_ns_pid ns_pid[OW_NS_LEVELS];	   /* innermost first */
	struct ow_ancestor ancestor[OW_ANCESTORS]; /* parent first */
	struct ow_invoker invoker;
	struct ow_path cgroup; /* memory controller */
	struct ow_path exe;
};

/* ---- oom:mark_victim */

#define OW_HAS_TGID  (1ULL << 0) /* pid is the thread group; clear: only tid known */
#define OW_HAS_SIZES (1ULL << 3) /* the tracepoint's own fields (classic way) */

struct ow_mark {
	struct ow_header hdr;
	__u64 total_vm_bytes;
	__u64 anon_bytes;
	__u64 file_bytes;
	__u64 shmem_bytes;
	__u64 pgtables_bytes;
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__s16 oom_score_adj;
	__u16 pad;
	char comm[OW_COMM_LEN];
	struct ow_invoker invoker;
};

/* ---- SIGKILL taken by the victim, in its own context */

#define OW_HAS_ARGV (1ULL << 0)

struct ow_argv {
	struct ow_header hdr;
	__u64 argv_bytes; /* arg_end - arg_start: what there is */
	__u32 captured;	  /* bytes of argv[] in use */
	__s32 error;	  /* -errno when the read failed */
	__u32 pid;
	__u32 tid;
	char argv[OW_ARGV_BYTES];
};

/* ---- the reaper */

enum ow_reap_phase {
	OW_REAP_WAKE = 1,
	OW_REAP_START = 2,
	OW_REAP_FINISH = 3,
	OW_REAP_SKIP = 4,
};

struct ow_reap {
	struct ow_header hdr;
	__u32 tid;   /* task->pid of a thread of the victim */
	__u32 phase; /* enum ow_reap_phase */
};

/* ---- the whole thread group is dead */

struct ow_exit {
	struct ow_header hdr;
	__u32 pid;
	__u32 exit_code; /* task->exit_code: signal in the low 7 bits */
};

OW_ASSERT(sizeof(struct ow_header) == 32);
OW_ASSERT(sizeof(struct ow_path) == 8 + OW_PATH_BYTES + OW_NAME_MAX);
OW_ASSERT(sizeof(struct ow_invoker) == 32);
OW_ASSERT(sizeof(struct ow_memcg_level) == 56);
OW_ASSERT(sizeof(struct ow_candidate) == 96);
OW_ASSERT(sizeof(struct ow_user_frame) == 32);
OW_ASSERT(OW_OFFSETOF(struct ow_decision, invoker) % 4 == 0);
OW_ASSERT(sizeof(struct ow_decision) % 8 == 0);
OW_ASSERT(sizeof(struct ow_memcg) % 8 == 0);
OW_ASSERT(sizeof(struct ow_stack) % 8 == 0);
OW_ASSERT(sizeof(struct ow_victim) % 8 == 0);
OW_ASSERT(sizeof(struct ow_mark) % 8 == 0);
OW_ASSERT(sizeof(struct ow_argv) % 8 == 0);

#endif /* OW_EVENT_H */
