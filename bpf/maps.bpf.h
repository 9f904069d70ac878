/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 * What the programs share with each other and with user space.
 */
#ifndef OW_MAPS_BPF_H
#define OW_MAPS_BPF_H

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 512 * 1024); /* user space may resize it */
} events SEC(".maps");

/* A task that was chosen to die and has not gone yet, by thread group id. */
struct pending_victim {
	__u64 decision;
	__u64 start_ns;	 /* start_boottime: guards against pid reuse */
	__u32 role;	 /* enum ow_role */
	__u32 described; /* an ow_victim record was sent */
	__u32 marked;
	__u32 delivered; /* an ow_argv record was sent */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct pending_victim);
} victims SEC(".maps");

/* The address spaces of victims: processes that share one die with no event of
 * their own (mm/oom_kill.c, __oom_kill_process).
 */
struct shared_mm {
	__u64 decision;
	__u64 since_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct shared_mm);
} victim_mms SEC(".maps");

#define SHARED_MM_WINDOW_NS (10ULL * 1000000000)

/* Not zero while a victim is dying: the one load that programs on shared paths do. */
static __u64 watching;
static __u64 shared_until_ns; /* processes sharing a victim's mm may still take SIGKILL */

static __u64 last_decision;   /* written under oom_lock only */
__u64 lost[OW_KIND_EXIT + 1]; /* records the ring had no room for, by kind */

/* Addresses of kernel variables, filled by user space from /proc/kallsyms after
 * the programs are attached; 0: not readable.
 */
struct {
	__u64 vm_node_stat;
	__u64 vm_zone_stat;
	__u64 totalram_pages;
	__u64 nr_swap_pages;
	__u64 total_swap_pages;
} kernel_vars;

/* Set by user space once all is attached. A record that another one follows at
 * once need not wake the reader, which costs as much as its writing: a kill then
 * wakes it at its mark, not at each of seven records before.
 */
__u8 kill_follows; /* __oom_kill_process is hooked: a decision's records are not its last */
__u8 mark_follows; /* mark_victim is hooked, and so is the exit, of one that had no mm to kill */

/* All others wake it whatever it has read so far: a silent one before may be unread. */
#define WAKE		BPF_RB_FORCE_WAKEUP
#define WAKE_UNLESS(it) ((it) ? BPF_RB_NO_WAKEUP : WAKE)

/* Room for what is built step by step, outside the record it ends up in: a loop
 * whose body is a global function costs the verifier a few instructions a
 * round, not a whole walk, and such a function only takes scalars.
 */
struct path_walk {
	__u64 cursor; /* struct cgroup, dentry, pid or task_struct */
	__u64 mount;
	union {
		struct ow_path path;
		struct {
			__u32 ns_levels;
			struct ow_ns_pid ns_pid[OW_NS_LEVELS];
			__u32 ancestors;
			struct ow_ancestor ancestor[OW_ANCESTORS];
		};
	};
};

struct symbol_name {
	char text[OW_SYMBOL_LEN];
};

/* Names of kernel functions by return address: kills come by the same few ways,
 * and a search of the kernel's symbols takes thousands of instructions.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, __u64);
	__type(value, struct symbol_name);
} symbols SEC(".maps");

struct lock_scratch {
	struct path_walk walk;
	struct symbol_name symbol;
	__u64 memcg_cursor;
	struct ow_memcg memcg;
	struct ow_candidates candidates;
};

/* Where a program runs decides which room is its own. */
#define IN_OOM_LOCK    0 /* the whole kernel has one at a time */
#define IN_OWN_CONTEXT 1 /* a dying task, one program on one CPU at a time */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lock_scratch);
} under_oom_lock SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct path_walk);
} in_own_context SEC(".maps");

static __always_inline struct lock_scratch *lock_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&under_oom_lock, &zero);
}

static __always_inline struct path_walk *path_walk(__u32 context)
{
	__u32 zero = 0;

	if (context == IN_OWN_CONTEXT)
		return bpf_map_lookup_elem(&in_own_context, &zero);
	return bpf_map_lookup_elem(&under_oom_lock, &zero); /* its first member */
}

/* Source for zeroing a whole record in one call; stays zero. */
static char zeroes[8192];

/* Reserves a zeroed record with its header filled, or counts the loss. A macro:
 * bpf_ringbuf_reserve wants a constant size. bpf_ringbuf_reserve does not zero.
 */
#define start_record(rec, record_kind, decision_id)                                                \
	({                                                                                         \
		bpf_probe_read_kernel(rec, sizeof(*(rec)), zeroes);                                \
		(rec)->hdr.kind = (record_kind);                                                   \
		(rec)->hdr.version = OW_WIRE_VERSION;                                              \
		(rec)->hdr.size = sizeof(*(rec));                                                  \
		(rec)->hdr.ktime_ns = bpf_ktime_get_ns();                                          \
		(rec)->hdr.decision = (decision_id);                                               \
	})

#define reserve(rec, record_kind, decision_id)                                                     \
	({                                                                                         \
		rec = bpf_ringbuf_reserve(&events, sizeof(*(rec)), 0);                             \
		if (rec) {                                                                         \
			start_record(rec, record_kind, decision_id);                               \
		} else {                                                                           \
			__sync_fetch_and_add(&lost[record_kind], 1);                               \
		}                                                                                  \
		rec;                                                                               \
	})

/* Sends a record that was built in scratch room. */
#define send_scratch(rec, record_kind, wake)                                                       \
	({                                                                                         \
		if (bpf_ringbuf_output(&events, rec, sizeof(*(rec)), wake))                        \
			__sync_fetch_and_add(&lost[record_kind], 1);                               \
	})

#endif /* OW_MAPS_BPF_H */
