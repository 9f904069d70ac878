/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 * Every kernel change the programs must know, one function each, with its
 * commit. Struct flavours end in the first (___vX) or last (___pre_vX) version.
 */
#ifndef OW_COMPAT_BPF_H
#define OW_COMPAT_BPF_H

/* mm counters were atomics until v6.2: f1a7941243c1 "mm: convert mm's rss
 * stats into percpu_counter". `count` alone misses what CPUs still hold; up to
 * 6.17 the kernel's own oom_badness reads it the same way.
 */
struct mm_rss_stat___pre_v6_2 {
	atomic_long_t count[4];
} __attribute__((preserve_access_index));

struct mm_struct___pre_v6_2 {
	struct mm_rss_stat___pre_v6_2 rss_stat;
} __attribute__((preserve_access_index));

struct percpu_counter___v6_2 {
	s64 count;
} __attribute__((preserve_access_index));

struct mm_struct___v6_2 {
	struct percpu_counter___v6_2 rss_stat[4];
} __attribute__((preserve_access_index));

struct mm_counters {
	__u64 file;
	__u64 anon;
	__u64 swap;
	__u64 shmem;
};

static __always_inline __u64 not_negative(__s64 pages)
{
	return pages > 0 ? pages : 0;
}

/* Element i of rss_stat: the size of an element is the running kernel's, so a
 * plain index (which would use ours) reads garbage.
 */
static __always_inline __s64 percpu_rss(struct mm_struct *mm, int i)
{
	__s64 pages = 0;

	bpf_probe_read_kernel(&pages, sizeof(pages),
			      (void *)mm +
				      bpf_core_field_offset(struct mm_struct___v6_2, rss_stat) +
				      i * bpf_core_type_size(struct percpu_counter) +
				      bpf_core_field_offset(struct percpu_counter___v6_2, count));
	return pages;
}

/* Order of the counters: MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS,
 * MM_SHMEMPAGES (include/linux/mm_types_task.h), the same since v4.5.
 */
static __always_inline void read_mm_counters(struct mm_struct *mm, struct mm_counters *out)
{
	if (bpf_core_type_exists(struct mm_rss_stat___pre_v6_2)) {
		struct mm_struct___pre_v6_2 *old = (void *)mm;

		out->file = not_negative(BPF_CORE_READ(old, rss_stat.count[0].counter));
		out->anon = not_negative(BPF_CORE_READ(old, rss_stat.count[1].counter));
		out->swap = not_negative(BPF_CORE_READ(old, rss_stat.count[2].counter));
		out->shmem = not_negative(BPF_CORE_READ(old, rss_stat.count[3].counter));
	} else {
		out->file = not_negative(percpu_rss(mm, 0));
		out->anon = not_negative(percpu_rss(mm, 1));
		out->swap = not_negative(percpu_rss(mm, 2));
		out->shmem = not_negative(percpu_rss(mm, 3));
	}
}

/* mark_victim passed a thread id until 72ba14deb40a "memcg: add the victim's
 * fields to the mark_victim tracepoint" (v6.9, back-ported to stable trees): it
 * added the record's fields and the task argument together, so the field tells.
 */
struct trace_event_raw_mark_victim___v6_9 {
	int pid;
	__u32 __data_loc_comm;
	unsigned long total_vm;
	unsigned long anon_rss;
	unsigned long file_rss;
	unsigned long shmem_rss;
	uid_t uid;
	unsigned long pgtables;
	short oom_score_adj;
} __attribute__((preserve_access_index));

static __always_inline bool mark_victim_gives_task(void)
{
	return bpf_core_field_exists(struct trace_event_raw_mark_victim___v6_9, uid);
}

/* Since v6.15 page counters of cgroup v2 no longer count failures: track_failcnt says. */
struct page_counter___v6_15 {
	bool track_failcnt;
} __attribute__((preserve_access_index));

struct mem_cgroup___v6_15 {
	struct page_counter___v6_15 memory;
} __attribute__((preserve_access_index));

static __always_inline bool counts_failures(struct mem_cgroup *memcg)
{
	struct mem_cgroup___v6_15 *new = (void *)memcg;

	if (!bpf_core_field_exists(new->memory.track_failcnt))
		return true;
	return BPF_CORE_READ(new, memory.track_failcnt);
}

/* bpf_snprintf: 7b15523a989b (v5.13). */
static __always_inline bool can_print_symbols(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_snprintf);
}

#endif /* OW_COMPAT_BPF_H */
