/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 * Reading tasks, their memory, cgroups and paths.
 */
#ifndef OW_TASK_BPF_H
#define OW_TASK_BPF_H

#define SIGKILL_NR	      9
#define SIGNAL_GROUP_EXIT_BIT 4		 /* include/linux/sched/signal.h */
#define PF_KTHREAD_BIT	      0x00200000 /* include/linux/sched.h */
#define THREADS_SEARCHED      8 /* an exited leader stays in the list, exited threads do not */
/* PAGE_COUNTER_MAX is LONG_MAX / PAGE_SIZE; with 64 KiB pages that is 2^47-1. */
#define NO_LIMIT_PAGES ((1ULL << 47) - 1)

static __always_inline __u32 current_tid(void)
{
	return (__u32)bpf_get_current_pid_tgid();
}

static __always_inline __u32 current_tgid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

/* The task's mm, or that of one of its threads when the leader has exited, as
 * find_lock_task_mm does (mm/oom_kill.c). 0: none.
 */
__noinline __u64 find_task_mm(__u64 of)
{
	struct task_struct *task = (void *)of;
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct signal_struct *signal;
	struct list_head *head, *node;

	if (mm)
		return (__u64)mm;
	signal = BPF_CORE_READ(task, signal);
	if (!signal)
		return 0;
	head = (void *)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	node = BPF_CORE_READ(signal, thread_head.next);
	for (int i = 0; i < THREADS_SEARCHED; i++) {
		struct task_struct *thread;

		if (!node || node == head)
			return 0;
		thread = (void *)node - bpf_core_field_offset(struct task_struct, thread_node);
		mm = BPF_CORE_READ(thread, mm);
		if (mm)
			return (__u64)mm;
		node = BPF_CORE_READ(node, next);
	}
	return 0;
}

static __always_inline struct mm_struct *task_mm(struct task_struct *task)
{
	return (void *)find_task_mm((__u64)task);
}

/* What the task is doing already: a kill of such a task is not a kill. */
static __always_inline __u32 task_state(struct task_struct *task)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	__u64 own = 0, shared = 0;
	__u32 killed, exiting;

	bpf_core_read(&own, sizeof(own), &task->pending.signal.sig[0]);
	bpf_core_read(&shared, sizeof(shared), &signal->shared_pending.signal.sig[0]);
	/* Without branches: the verifier walks all that follows once for each. */
	killed = ((own | shared) >> (SIGKILL_NR - 1)) & 1;
	exiting = (BPF_CORE_READ(signal, flags) / SIGNAL_GROUP_EXIT_BIT) & 1;
	return killed * OW_STATE_SIGKILL_PENDING + exiting * OW_STATE_GROUP_EXIT;
}

static __always_inline void fill_invoker(struct ow_invoker *out)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 id = bpf_get_current_pid_tgid();

	out->pid = id >> 32;
	out->tid = (__u32)id;
	out->uid = BPF_CORE_READ(task, real_cred, uid.val);
	out->oom_score_adj = BPF_CORE_READ(task, signal, oom_score_adj);
	out->kernel_thread = !!(BPF_CORE_READ(task, flags) & PF_KTHREAD_BIT);
	bpf_get_current_comm(out->comm, sizeof(out->comm));
}

/* Appends one component; a path has room for at least OW_PATH_BYTES. */
static __always_inline void path_push(struct ow_path *path, const char *name)
{
	__u32 used = path->used;
	long n;

	if (used >= OW_PATH_BYTES) {
		path->truncated = 1;
		return;
	}
	n = bpf_probe_read_kernel_str(&path->names[used], OW_NAME_MAX, name);
	if (n <= 0) {
		path->truncated = 1;
		return;
	}
	path->used = used + n;
	path->levels++;
}

/* The css of the memory controller: css_set->subsys[memory_cgrp_id]; the index
 * depends on what the kernel was built with.
 */
static __always_inline struct cgroup_subsys_state *task_css(struct task_struct *task, __u32 subsys)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	struct cgroup_subsys_state *css = 0;

	bpf_probe_read_kernel(&css, sizeof(css),
			      (void *)set + bpf_core_field_offset(struct css_set, subsys) +
				      subsys * sizeof(void *));
	return css;
}

static __always_inline struct cgroup_subsys_state *task_memory_css(struct task_struct *task)
{
	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		return 0;
	return task_css(task, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id));
}

/* One component of a cgroup's path. 1: that was the last one. */
__noinline int cgroup_path_step(__u32 context)
{
	struct path_walk *walk = path_walk(context);
	struct cgroup_subsys_state *parent;
	struct cgroup *cgrp;

	if (!walk)
		return 1;
	cgrp = (void *)walk->cursor;
	parent = BPF_CORE_READ(cgrp, self.parent);
	if (!parent) /* the root has no name */
		return 1;
	path_push(&walk->path, BPF_CORE_READ(cgrp, kn, name));
	walk->cursor = (__u64)BPF_CORE_READ(parent, cgroup);
	return 0;
}

/* Walks up dentries and mounts, as d_path does (fs/d_path.c, prepend_path). */
__noinline int file_path_step(__u32 context)
{
	struct path_walk *walk = path_walk(context);
	struct dentry *dentry, *parent;
	struct mount *mnt, *above;

	if (!walk)
		return 1;
	dentry = (void *)walk->cursor;
	mnt = (void *)walk->mount;
	parent = BPF_CORE_READ(dentry, d_parent);
	if (dentry == BPF_CORE_READ(mnt, mnt.mnt_root) || dentry == parent) {
		above = BPF_CORE_READ(mnt, mnt_parent);
		if (above == mnt)
			return 1;
		walk->cursor = (__u64)BPF_CORE_READ(mnt, mnt_mountpoint);
		walk->mount = (__u64)above;
		return 0;
	}
	path_push(&walk->path, (const char *)BPF_CORE_READ(dentry, d_name.name));
	walk->cursor = (__u64)parent;
	return 0;
}

/* A loop around a loop, each a function: both are checked once, not once a round. */
#define STEPS_AT_ONCE 8

__noinline int cgroup_path_steps(__u32 context)
{
	int done = 0;

	for (int i = 0; i < STEPS_AT_ONCE && !done; i++)
		done = cgroup_path_step(context);
	return done;
}

__noinline int file_path_steps(__u32 context)
{
	int done = 0;

	for (int i = 0; i < STEPS_AT_ONCE && !done; i++)
		done = file_path_step(context);
	return done;
}

static __always_inline struct path_walk *start_walk(__u32 context, const void *from)
{
	struct path_walk *walk = path_walk(context);

	if (walk) {
		bpf_probe_read_kernel(walk, sizeof(*walk), zeroes);
		walk->cursor = (__u64)from;
	}
	return walk;
}

static __always_inline void fill_cgroup_path(struct ow_path *path, __u32 context,
					     struct cgroup_subsys_state *css)
{
	struct path_walk *walk = start_walk(context, BPF_CORE_READ(css, cgroup));
	int done = 0;

	if (!walk)
		return;
	for (int i = 0; i < OW_PATH_LEVELS / STEPS_AT_ONCE && !done; i++)
		done = cgroup_path_steps(context);
	if (!done)
		walk->path.truncated = 1;
	bpf_probe_read_kernel(path, sizeof(*path), &walk->path);
}

static __always_inline void fill_file_path(struct ow_path *path, __u32 context, struct file *file)
{
	struct path_walk *walk = start_walk(context, BPF_CORE_READ(file, f_path.dentry));
	int done = 0;

	if (!walk)
		return;
	walk->mount =
		(__u64)BPF_CORE_READ(file, f_path.mnt) - bpf_core_field_offset(struct mount, mnt);
	for (int i = 0; i < OW_PATH_LEVELS / STEPS_AT_ONCE && !done; i++)
		done = file_path_steps(context);
	if (!done)
		walk->path.truncated = 1;
	bpf_probe_read_kernel(path, sizeof(*path), &walk->path);
}

static __always_inline struct mem_cgroup *css_memcg(struct cgroup_subsys_state *css)
{
	return (void *)css - bpf_core_field_offset(struct mem_cgroup, css);
}

static __always_inline __u64 limit_pages(unsigned long max)
{
	return max >= NO_LIMIT_PAGES ? OW_LIMIT_NONE : max;
}

/* Usage and limit of one level. 1: that was the root, which is not charged
 * (mm/memcontrol.c).
 */
__noinline int memcg_step(__u32 i)
{
	struct lock_scratch *scratch = lock_scratch();
	struct cgroup_subsys_state *parent;
	struct ow_memcg_level *level;
	struct mem_cgroup *memcg;
	struct cgroup *cgrp;

	if (!scratch || i >= OW_MEMCG_LEVELS)
		return 1;
	memcg = (void *)scratch->memcg_cursor;
	parent = BPF_CORE_READ(memcg, css.parent);
	if (!parent)
		return 1;
	level = &scratch->memcg.level[i];
	cgrp = BPF_CORE_READ(memcg, css.cgroup);
	level->cgroup_id = BPF_CORE_READ(cgrp, kn, id);
	level->usage_pages = BPF_CORE_READ(memcg, memory.usage.counter);
	level->limit_pages = limit_pages(BPF_CORE_READ(memcg, memory.max));
	level->failcnt = BPF_CORE_READ(memcg, memory.failcnt);
	level->counts_failures = counts_failures(memcg);
	/* swap and memsw share their place; hierarchy 0 is cgroup v2 */
	level->v1 = BPF_CORE_READ(cgrp, root, hierarchy_id) != 0;
	level->swap_usage_pages = BPF_CORE_READ(memcg, swap.usage.counter);
	level->swap_limit_pages = limit_pages(BPF_CORE_READ(memcg, swap.max));
	level->oom_group = BPF_CORE_READ(memcg, oom_group);
	path_push(&scratch->memcg.path, BPF_CORE_READ(cgrp, kn, name));
	scratch->memcg.levels = i + 1;
	scratch->memcg_cursor = (__u64)css_memcg(parent);
	return 0;
}

/* The functions that send a record are global, with scalar arguments: the
 * verifier then checks each once, not once per path that leads to it.
 */
__noinline int send_memcg(__u64 memcg, __u64 decision, __u32 subject, __u32 pid)
{
	struct lock_scratch *scratch = lock_scratch();
	int done = 0;

	if (!scratch)
		return 0;
	start_record(&scratch->memcg, OW_KIND_MEMCG, decision);
	scratch->memcg.subject = subject;
	scratch->memcg.pid = pid;
	scratch->memcg_cursor = memcg;
	for (__u32 i = 0; i < OW_MEMCG_LEVELS && !done; i++)
		done = memcg_step(i);
	if (!done)
		scratch->memcg.truncated = 1;
	/* that of a victim stands before its mark */
	send_scratch(&scratch->memcg, OW_KIND_MEMCG,
		     WAKE_UNLESS(subject == OW_MEMCG_OF_VICTIM || kill_follows));
	return 0;
}

#define NO_GROUP 0
#define A_GROUP	 1

/* NO_GROUP: the root. A_GROUP: memory.oom.group is set. Else the cgroup above. */
__noinline __u64 oom_group_step(__u64 of)
{
	struct mem_cgroup *memcg = (void *)of;
	struct cgroup_subsys_state *parent = BPF_CORE_READ(memcg, css.parent);

	if (!parent)
		return NO_GROUP;
	if (BPF_CORE_READ(memcg, oom_group))
		return A_GROUP;
	return (__u64)css_memcg(parent);
}

/* memory.oom.group set on the cgroup or one above it. */
__noinline int in_oom_group(__u64 memcg)
{
	for (int i = 0; i < OW_MEMCG_LEVELS && memcg > A_GROUP; i++)
		memcg = oom_group_step(memcg);
	return memcg == A_GROUP;
}

#endif /* OW_TASK_BPF_H */
