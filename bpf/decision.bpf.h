/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 * The choice of a victim: from out_of_memory through oom_badness to
 * oom_kill_process, all under oom_lock, all in the invoker's context.
 */
#ifndef OW_DECISION_BPF_H
#define OW_DECISION_BPF_H

#define NOT_KILLABLE (-9223372036854775807L - 1) /* LONG_MIN from oom_badness */
#define ADJ_MIN	     (-1000)

/* The scan under way. Only the holder of oom_lock writes it: no lock of ours.
 * Not static: clang would split it, and the kernel rejects the names in its BTF.
 */
struct {
	__u32 tid; /* the scanning thread; 0: nobody scans */
	__u32 considered;
	__u32 unkillable;
	__u32 kept;   /* used entries of the arrays */
	__u32 lowest; /* index of the one to go next */
	__u32 way;    /* OW_CANDIDATE_ */
	__s64 lowest_points;
	__u64 entry_task; /* between a kprobe and its kretprobe */
	__s64 points[OW_CANDIDATES];
	__u64 task[OW_CANDIDATES];
	__u64 mm[OW_CANDIDATES];
	__u64 start_ns[OW_CANDIDATES];
	__u32 pid[OW_CANDIDATES];
} scan;

/* The last decision, for the hooks that follow it in the same context. */
struct {
	__u64 chosen_task; /* held by oc->chosen while the invoker is in here */
	__u64 killed_task; /* the last one that __oom_kill_process was called for */
	__u32 chosen_pid;
	__u32 invoker_tid;
	__u32 kill_seen;
} in_decision;

static __always_inline int on_scan_start(void)
{
	scan.tid = current_tid();
	scan.considered = 0;
	scan.unkillable = 0;
	scan.kept = 0;
	scan.lowest = 0;
	scan.lowest_points = 0;
	scan.entry_task = 0;
	return 0;
}

__noinline int weigh_kept(__u32 i)
{
	if (i < OW_CANDIDATES && scan.points[i] < scan.lowest_points) {
		scan.lowest_points = scan.points[i];
		scan.lowest = i;
	}
	return 0;
}

static __always_inline void find_lowest(void)
{
	scan.lowest = 0;
	scan.lowest_points = scan.points[0];
	for (__u32 i = 1; i < OW_CANDIDATES; i++)
		weigh_kept(i);
}

__noinline int keep_candidate(__u64 candidate, __u64 points)
{
	struct task_struct *task = (void *)candidate;
	__u32 at = scan.kept;

	if (at >= OW_CANDIDATES)
		at = scan.lowest;
	if (at >= OW_CANDIDATES)
		return 0;
	scan.task[at] = (__u64)task;
	scan.points[at] = points;
	scan.mm[at] = (__u64)task_mm(task);
	scan.pid[at] = BPF_CORE_READ(task, tgid);
	scan.start_ns[at] = BPF_CORE_READ(task, start_boottime);
	if (scan.kept < OW_CANDIDATES)
		scan.kept++;
	if (scan.kept == OW_CANDIDATES)
		find_lowest();
	return 0;
}

/* One more task weighed: is it of the top? Readers of /proc/PID/oom_score come
 * here too (fs/proc/base.c): they are not the scanning thread.
 */
static __always_inline bool count_candidate(__s64 points, __u32 way)
{
	if (scan.tid != current_tid())
		return false;
	scan.considered++;
	if (points == NOT_KILLABLE) {
		scan.unkillable++;
		return false;
	}
	scan.way = way;
	return scan.kept < OW_CANDIDATES || points > scan.lowest_points;
}

static __always_inline int on_candidate(struct task_struct *task, __s64 points, __u32 way)
{
	if (!count_candidate(points, way))
		return 0;
	return keep_candidate((__u64)task, points);
}

/* The same sum as oom_badness (mm/oom_kill.c), where the compiler left nothing
 * to hook: rss + swap entries + page tables + adj * totalpages / 1000.
 */
static __always_inline int on_evaluate(struct task_struct *task, struct oom_control *oc)
{
	struct mm_counters counters = {};
	struct mm_struct *mm;
	__s64 adj, points;

	if (scan.tid != current_tid())
		return 0;
	mm = task_mm(task);
	adj = BPF_CORE_READ(task, signal, oom_score_adj);
	if (!mm || adj == ADJ_MIN)
		return on_candidate(task, NOT_KILLABLE, OW_CANDIDATE_SUM);
	read_mm_counters(mm, &counters);
	points = counters.file + counters.anon + counters.shmem + counters.swap +
		 BPF_CORE_READ(mm, pgtables_bytes.counter) / page_size;
	points += adj * (__s64)(BPF_CORE_READ(oc, totalpages) / 1000);
	return on_candidate(task, points, OW_CANDIDATE_SUM);
}

/* Fills row i of the candidates record. */
__noinline int describe_candidate(__u32 i)
{
	struct lock_scratch *scratch = lock_scratch();
	struct mm_counters counters = {};
	struct ow_candidate *out;
	struct task_struct *task;
	struct mm_struct *mm;

	if (!scratch || i >= OW_CANDIDATES)
		return 0;
	out = &scratch->candidates.top[i];
	task = (void *)scan.task[i];
	out->pid = scan.pid[i];
	out->points = scan.points[i];
	out->start_ns = scan.start_ns[i];
	scratch->candidates.listed = i + 1;
	/* The task may have gone since it was weighed. */
	if ((__u32)BPF_CORE_READ(task, tgid) != out->pid ||
	    BPF_CORE_READ(task, start_boottime) != out->start_ns)
		return 0;
	BPF_CORE_READ_STR_INTO(&out->comm, task, comm);
	out->uid = BPF_CORE_READ(task, real_cred, uid.val);
	out->oom_score_adj = BPF_CORE_READ(task, signal, oom_score_adj);
	/* Its mm lives while the task has it, or another of its threads does. */
	mm = (void *)scan.mm[i];
	if (!mm || (BPF_CORE_READ(task, mm) != mm && !BPF_CORE_READ(task, signal, live.counter)))
		return 0;
	out->has_memory = 1;
	read_mm_counters(mm, &counters);
	out->anon_pages = counters.anon;
	out->file_pages = counters.file;
	out->shmem_pages = counters.shmem;
	out->swap_pages = counters.swap;
	out->total_vm_pages = BPF_CORE_READ(mm, total_vm);
	out->pgtables_bytes = BPF_CORE_READ(mm, pgtables_bytes.counter);
	return 0;
}

__noinline int send_candidates(__u64 decision)
{
	struct lock_scratch *scratch = lock_scratch();

	if (!scratch)
		return 0;
	start_record(&scratch->candidates, OW_KIND_CANDIDATES, decision);
	scratch->candidates.considered = scan.considered;
	scratch->candidates.unkillable = scan.unkillable;
	scratch->candidates.way = scan.way;
	for (__u32 i = 0; i < OW_CANDIDATES && i < scan.kept; i++)
		describe_candidate(i);
	send_scratch(&scratch->candidates, OW_KIND_CANDIDATES, WAKE_UNLESS(kill_follows));
	return 0;
}

/* The kernel's own functions stay where they are. Modules, named "[module]" at
 * the end, and BPF programs come and go; "0x" is an address without a name.
 */
static __always_inline bool stays(const struct symbol_name *name, long size)
{
	const char *text = name->text;

	if (size < 3 || size > OW_SYMBOL_LEN || text[0] == '0')
		return false;
	if (text[0] == 'b' && text[1] == 'p' && text[2] == 'f')
		return false;
	return text[(size - 2) & (OW_SYMBOL_LEN - 1)] != ']';
}

/* The name of a return address, into the room of the one under oom_lock. */
__noinline int print_symbol(__u64 address)
{
	struct lock_scratch *scratch = lock_scratch();
	struct symbol_name *known;
	long size;

	if (!scratch || !can_print_symbols())
		return 0;
	known = bpf_map_lookup_elem(&symbols, &address);
	if (known) {
		scratch->symbol = *known;
		return 0;
	}
	size = bpf_snprintf(scratch->symbol.text, OW_SYMBOL_LEN, "%pB", &address, sizeof(address));
	if (stays(&scratch->symbol, size))
		bpf_map_update_elem(&symbols, &address, &scratch->symbol, BPF_ANY);
	return 0;
}

static __always_inline void print_symbols(struct ow_stack *rec)
{
	struct lock_scratch *scratch = lock_scratch();

	if (!scratch)
		return;
	for (__u32 i = 0; i < OW_KSTACK_FRAMES; i++) {
		if (i >= rec->kernel_frames)
			break;
		print_symbol(rec->kernel[i]);
		__builtin_memcpy(rec->symbol[i], scratch->symbol.text, OW_SYMBOL_LEN);
	}
	rec->hdr.has |= OW_HAS_SYMBOLS;
}

static __noinline int send_stacks(void *ctx, __u64 decision)
{
	struct ow_stack *rec;
	long n;

	if (!reserve(rec, OW_KIND_STACK, decision))
		return 0;
	n = bpf_get_stack(ctx, rec->kernel, sizeof(rec->kernel), 0);
	if (n > 0) {
		rec->hdr.has |= OW_HAS_KSTACK;
		rec->kernel_frames = (__u32)n / sizeof(rec->kernel[0]);
		if (can_print_symbols())
			print_symbols(rec);
	}
	n = bpf_get_stack(ctx, rec->user, sizeof(rec->user),
			  BPF_F_USER_STACK | BPF_F_USER_BUILD_ID);
	if (n > 0) {
		rec->hdr.has |= OW_HAS_USTACK;
		rec->user_frames = (__u32)n / sizeof(rec->user[0]);
	}
	bpf_ringbuf_submit(rec, WAKE_UNLESS(kill_follows));
	return 0;
}

#define NODE_COUNTER(rec, id, item)                                                                \
	if (kernel_vars.vm_node_stat && bpf_core_enum_value_exists(enum node_stat_item, item))     \
	read_counter(rec, id,                                                                      \
		     kernel_vars.vm_node_stat +                                                    \
			     8 * bpf_core_enum_value(enum node_stat_item, item))

#define ZONE_COUNTER(rec, id, item)                                                                \
	if (kernel_vars.vm_zone_stat && bpf_core_enum_value_exists(enum zone_stat_item, item))     \
	read_counter(rec, id,                                                                      \
		     kernel_vars.vm_zone_stat +                                                    \
			     8 * bpf_core_enum_value(enum zone_stat_item, item))

static __always_inline void read_counter(struct ow_system *rec, __u32 id, __u64 address)
{
	__s64 value = 0;

	if (!address || bpf_probe_read_kernel(&value, sizeof(value), (void *)address))
		return;
	rec->counter[id] = not_negative(value);
	rec->hdr.has |= 1ULL << id;
}

/* The kernel's own counters, those of /proc/meminfo (mm/vmstat.c, fs/proc/meminfo.c). */
__noinline int send_system(__u64 decision)
{
	struct ow_system *rec;

	if (!kernel_vars.totalram_pages || !reserve(rec, OW_KIND_SYSTEM, decision))
		return 0;
	read_counter(rec, OW_SYS_TOTAL, kernel_vars.totalram_pages);
	read_counter(rec, OW_SYS_SWAP_TOTAL, kernel_vars.total_swap_pages);
	read_counter(rec, OW_SYS_SWAP_FREE, kernel_vars.nr_swap_pages);
	ZONE_COUNTER(rec, OW_SYS_FREE, NR_FREE_PAGES);
	ZONE_COUNTER(rec, OW_SYS_MLOCK, NR_MLOCK);
	NODE_COUNTER(rec, OW_SYS_ACTIVE_ANON, NR_ACTIVE_ANON);
	NODE_COUNTER(rec, OW_SYS_INACTIVE_ANON, NR_INACTIVE_ANON);
	NODE_COUNTER(rec, OW_SYS_ACTIVE_FILE, NR_ACTIVE_FILE);
	NODE_COUNTER(rec, OW_SYS_INACTIVE_FILE, NR_INACTIVE_FILE);
	NODE_COUNTER(rec, OW_SYS_UNEVICTABLE, NR_UNEVICTABLE);
	NODE_COUNTER(rec, OW_SYS_ANON_MAPPED, NR_ANON_MAPPED);
	NODE_COUNTER(rec, OW_SYS_FILE_MAPPED, NR_FILE_MAPPED);
	NODE_COUNTER(rec, OW_SYS_FILE_PAGES, NR_FILE_PAGES);
	NODE_COUNTER(rec, OW_SYS_DIRTY, NR_FILE_DIRTY);
	NODE_COUNTER(rec, OW_SYS_WRITEBACK, NR_WRITEBACK);
	NODE_COUNTER(rec, OW_SYS_SHMEM, NR_SHMEM);
	NODE_COUNTER(rec, OW_SYS_SLAB_RECLAIMABLE, NR_SLAB_RECLAIMABLE_B);
	NODE_COUNTER(rec, OW_SYS_SLAB_UNRECLAIMABLE, NR_SLAB_UNRECLAIMABLE_B);
	NODE_COUNTER(rec, OW_SYS_KERNEL_STACK_KB, NR_KERNEL_STACK_KB);
	NODE_COUNTER(rec, OW_SYS_PAGE_TABLES, NR_PAGETABLE);
	bpf_ringbuf_submit(rec, WAKE_UNLESS(kill_follows));
	return 0;
}

static __always_inline void fill_nodes(struct ow_decision *rec, struct oom_control *oc,
				       struct task_struct *invoker)
{
	__u64 size = bpf_core_type_size(nodemask_t);
	nodemask_t *nodemask = BPF_CORE_READ(oc, nodemask);

	if (size > sizeof(rec->nodemask))
		size = sizeof(rec->nodemask);
	if (nodemask && !bpf_probe_read_kernel(rec->nodemask, size, nodemask))
		rec->hdr.has |= OW_HAS_NODEMASK;
	if (bpf_core_field_exists(invoker->mems_allowed) &&
	    !bpf_probe_read_kernel(rec->mems_allowed, size,
				   (void *)invoker +
					   bpf_core_field_offset(struct task_struct, mems_allowed)))
		rec->hdr.has |= OW_HAS_MEMS;
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, cpuset_cgrp_id)) {
		struct cgroup_subsys_state *css = task_css(
			invoker, bpf_core_enum_value(enum cgroup_subsys_id, cpuset_cgrp_id));

		if (bpf_probe_read_kernel_str(rec->cpuset, sizeof(rec->cpuset),
					      BPF_CORE_READ(css, cgroup, kn, name)) > 0)
			rec->hdr.has |= OW_HAS_CPUSET;
	}
}

__noinline int send_decision(__u64 oom_control, __u64 message, __u64 decision)
{
	struct oom_control *oc = (void *)oom_control;
	struct task_struct *invoker = (void *)bpf_get_current_task();
	struct task_struct *chosen = BPF_CORE_READ(oc, chosen);
	struct cgroup_subsys_state *css;
	struct ow_decision *rec;

	if (!reserve(rec, OW_KIND_DECISION, decision))
		return 0;
	rec->hdr.has |=
		OW_HAS_GFP | OW_HAS_ORDER | OW_HAS_CONSTRAINT | OW_HAS_TOTAL_PAGES | OW_HAS_CHOSEN;
	rec->gfp_mask = BPF_CORE_READ(oc, gfp_mask);
	rec->order = BPF_CORE_READ(oc, order);
	rec->constraint = BPF_CORE_READ(oc, constraint);
	rec->total_pages = BPF_CORE_READ(oc, totalpages);
	rec->chosen_points = BPF_CORE_READ(oc, chosen_points);
	rec->chosen_pid = BPF_CORE_READ(chosen, tgid);
	rec->chosen_tid = BPF_CORE_READ(chosen, pid);
	rec->chosen_start_ns = BPF_CORE_READ(chosen, start_boottime);
	rec->chosen_state = task_state(chosen);
	BPF_CORE_READ_STR_INTO(&rec->chosen_comm, chosen, comm);
	bpf_probe_read_kernel_str(rec->message, sizeof(rec->message), (void *)message);
	if (BPF_CORE_READ(oc, memcg))
		rec->hdr.has |= OW_HAS_MEMCG;
	if (scan.tid == current_tid())
		rec->hdr.has |= OW_HAS_SCAN;
	fill_invoker(&rec->invoker);
	fill_nodes(rec, oc, invoker);
	css = task_memory_css(invoker);
	if (css) {
		rec->hdr.has |= OW_HAS_CGROUP;
		fill_cgroup_path(&rec->cgroup, IN_OOM_LOCK, css);
	}
	bpf_ringbuf_submit(rec, WAKE_UNLESS(kill_follows));
	return 0;
}

static __always_inline int on_decision(void *ctx, struct oom_control *oc, const char *message)
{
	struct mem_cgroup *memcg = BPF_CORE_READ(oc, memcg);
	__u64 decision = ++last_decision;

	in_decision.chosen_task = (__u64)BPF_CORE_READ(oc, chosen);
	in_decision.chosen_pid = BPF_CORE_READ(oc, chosen, tgid);
	in_decision.invoker_tid = current_tid();
	in_decision.kill_seen = 0;
	send_decision((__u64)oc, (__u64)message, decision);
	if (memcg)
		send_memcg((__u64)memcg, decision, OW_MEMCG_OF_LIMIT, 0);
	if (scan.tid == current_tid()) {
		send_candidates(decision);
		scan.tid = 0;
	}
	send_stacks(ctx, decision);
	send_system(decision);
	return 0;
}

#endif /* OW_DECISION_BPF_H */
