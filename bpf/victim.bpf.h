/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 * From the moment a task is doomed to the moment it is gone.
 */
#ifndef OW_VICTIM_BPF_H
#define OW_VICTIM_BPF_H

/* The task's number one pid namespace further out. 1: there are no more. */
__noinline int ns_pid_step(__u32 context, __u32 i)
{
	struct path_walk *walk = path_walk(context);
	struct upid *number;
	struct pid *pid;
	__u32 level;

	if (!walk || i >= OW_NS_LEVELS)
		return 1;
	pid = (void *)walk->cursor;
	level = BPF_CORE_READ(pid, level);
	if (level < i)
		return 1;
	number = (void *)pid + bpf_core_field_offset(struct pid, numbers) +
		 (level - i) * bpf_core_type_size(struct upid);
	walk->ns_pid[i].pid = BPF_CORE_READ(number, nr);
	walk->ns_pid[i].ns_inum = BPF_CORE_READ(number, ns, ns.inum);
	walk->ns_levels = i + 1;
	return 0;
}

static __always_inline void fill_ns_pids(struct ow_victim *rec, __u32 context,
					 struct task_struct *leader)
{
	struct path_walk *walk = start_walk(context, BPF_CORE_READ(leader, thread_pid));
	int done = 0;

	if (!walk)
		return;
	for (__u32 i = 0; i < OW_NS_LEVELS && !done; i++)
		done = ns_pid_step(context, i);
	rec->ns_levels = walk->ns_levels;
	bpf_probe_read_kernel(rec->ns_pid, sizeof(rec->ns_pid), walk->ns_pid);
}

/* The parent of the last one. 1: there are no more. */
__noinline int ancestor_step(__u32 context, __u32 i)
{
	struct path_walk *walk = path_walk(context);
	struct task_struct *task, *parent;
	__u32 pid;

	if (!walk || i >= OW_ANCESTORS)
		return 1;
	task = (void *)walk->cursor;
	parent = BPF_CORE_READ(task, real_parent, group_leader);
	pid = BPF_CORE_READ(parent, tgid);
	if (!parent || !pid)
		return 1;
	walk->ancestor[i].pid = pid;
	BPF_CORE_READ_STR_INTO(&walk->ancestor[i].comm, parent, comm);
	walk->ancestors = i + 1;
	walk->cursor = (__u64)parent;
	return 0;
}

static __always_inline void fill_ancestors(struct ow_victim *rec, __u32 context,
					   struct task_struct *task)
{
	struct path_walk *walk = start_walk(context, task);
	int done = 0;

	if (!walk)
		return;
	for (__u32 i = 0; i < OW_ANCESTORS && !done; i++)
		done = ancestor_step(context, i);
	rec->ancestors = walk->ancestors;
	bpf_probe_read_kernel(rec->ancestor, sizeof(rec->ancestor), walk->ancestor);
}

static __always_inline void fill_mm(struct ow_victim *rec, __u32 context, struct mm_struct *mm)
{
	struct mm_counters counters = {};
	struct file *exe;

	if (!mm)
		return;
	rec->hdr.has |= OW_HAS_MM;
	read_mm_counters(mm, &counters);
	rec->anon_pages = counters.anon;
	rec->file_pages = counters.file;
	rec->shmem_pages = counters.shmem;
	rec->swap_pages = counters.swap;
	rec->total_vm_pages = BPF_CORE_READ(mm, total_vm);
	rec->pgtables_bytes = BPF_CORE_READ(mm, pgtables_bytes.counter);
	/* A reader of /proc holds a reference too: "may be shared", no more. */
	if ((__u32)BPF_CORE_READ(mm, mm_users.counter) > rec->threads)
		rec->hdr.has |= OW_HAS_SHARERS;
	exe = BPF_CORE_READ(mm, exe_file);
	if (!exe)
		return;
	rec->hdr.has |= OW_HAS_EXE;
	/* an unlinked dentry is unhashed (include/linux/dcache.h, d_unhashed) */
	rec->exe_deleted = !BPF_CORE_READ(exe, f_path.dentry, d_hash.pprev);
	fill_file_path(&rec->exe, context, exe);
}

/* Sends everything known of a task that is about to die. `context` follows from
 * `seen_at`; as an argument it is a number that the verifier does not follow.
 */
__noinline int send_victim(__u64 victim, __u64 decision, __u32 role, __u32 seen_at, __u32 context)
{
	struct task_struct *task = (void *)victim;
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct cgroup_subsys_state *css = task_memory_css(task);
	struct ow_victim *rec;

	if (!reserve(rec, OW_KIND_VICTIM, decision))
		return 0;
	rec->seen_at = seen_at;
	rec->role = role;
	rec->state = task_state(task);
	rec->pid = BPF_CORE_READ(task, tgid);
	rec->tid = BPF_CORE_READ(task, pid);
	rec->ppid = BPF_CORE_READ(leader, real_parent, tgid);
	rec->uid = BPF_CORE_READ(task, real_cred, uid.val);
	rec->oom_score_adj = BPF_CORE_READ(task, signal, oom_score_adj);
	rec->threads = BPF_CORE_READ(task, signal, nr_threads);
	rec->start_ns = BPF_CORE_READ(leader, start_boottime);
	rec->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	BPF_CORE_READ_STR_INTO(&rec->comm, leader, comm);
	if (css) {
		rec->oom_group = in_oom_group((__u64)css_memcg(css));
		fill_cgroup_path(&rec->cgroup, context, css);
	}
	fill_mm(rec, context, task_mm(task));
	fill_ns_pids(rec, context, leader);
	fill_ancestors(rec, context, leader);
	if (seen_at != OW_SEEN_AT_DELIVER) {
		rec->hdr.has |= OW_HAS_INVOKER;
		fill_invoker(&rec->invoker);
	}
	/* its mark, or its argv, comes next */
	bpf_ringbuf_submit(rec, WAKE_UNLESS(seen_at != OW_SEEN_AT_KILL || mark_follows));
	return 0;
}

static __always_inline void watch_mm(struct mm_struct *mm, __u64 decision)
{
	struct shared_mm shared = {.decision = decision, .since_ns = bpf_ktime_get_ns()};
	__u64 key = (__u64)mm;

	if (!mm)
		return;
	bpf_map_update_elem(&victim_mms, &key, &shared, BPF_ANY);
	if (!shared_until_ns)
		__sync_fetch_and_add(&watching, 1);
	shared_until_ns = shared.since_ns + SHARED_MM_WINDOW_NS;
}

static __always_inline struct pending_victim *watch_victim(struct task_struct *task, __u64 decision,
							   __u32 role)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);
	struct pending_victim fresh = {
		.decision = decision,
		.start_ns = BPF_CORE_READ(task, group_leader, start_boottime),
		.role = role,
	};
	struct pending_victim *known = bpf_map_lookup_elem(&victims, &tgid);

	if (!known)
		__sync_fetch_and_add(&watching, 1);
	if (bpf_map_update_elem(&victims, &tgid, &fresh, BPF_ANY)) {
		if (!known)
			__sync_fetch_and_add(&watching, -1);
		return 0;
	}
	return bpf_map_lookup_elem(&victims, &tgid);
}

/* Processes beyond the victim's own threads use its mm. */
static __always_inline bool may_share_mm(struct task_struct *task, struct mm_struct *mm)
{
	return (__u32)BPF_CORE_READ(mm, mm_users.counter) >
	       (__u32)BPF_CORE_READ(task, signal, nr_threads);
}

static __always_inline struct pending_victim *doom(struct task_struct *task, __u64 decision,
						   __u32 role, __u32 seen_at)
{
	struct pending_victim *pending = watch_victim(task, decision, role);
	struct mm_struct *mm = task_mm(task);

	if (!pending)
		return 0;
	if (may_share_mm(task, mm))
		watch_mm(mm, decision);
	pending->described = 1;
	send_victim((__u64)task, decision, role, seen_at, IN_OOM_LOCK);
	return pending;
}

/* __oom_kill_process(victim): before its SIGKILL. The chosen member of a group
 * kill passes twice: the second time it is known already.
 */
static __always_inline int on_victim_kill(struct task_struct *task)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);
	struct pending_victim *pending = bpf_map_lookup_elem(&victims, &tgid);

	in_decision.kill_seen = 1;
	in_decision.killed_task = (__u64)task;
	if (pending && pending->decision == last_decision && pending->described)
		return 0;
	doom(task, last_decision, tgid == in_decision.chosen_pid ? OW_ROLE_CHOSEN : OW_ROLE_GROUP,
	     OW_SEEN_AT_KILL);
	return 0;
}

static __always_inline void fill_mark(struct ow_mark *rec, __u32 pid, __u32 tid)
{
	if (pid)
		rec->hdr.has |= OW_HAS_TGID;
	rec->pid = pid;
	rec->tid = tid;
	fill_invoker(&rec->invoker);
}

/* oom:mark_victim with the task in hand. Without a registration by
 * __oom_kill_process it is either the only hook there is, or a task that was
 * dying already (out_of_memory's and oom_kill_process's early returns).
 */
static __always_inline int on_mark_task(struct task_struct *task, __u32 tid)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);
	struct pending_victim *pending = bpf_map_lookup_elem(&victims, &tgid);
	__u64 start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	struct cgroup_subsys_state *css;
	struct ow_mark *rec;

	if (!pending || pending->start_ns != start_ns) {
		bool decided =
			in_decision.invoker_tid == current_tid() && in_decision.chosen_pid == tgid;

		pending = doom(task, decided ? last_decision : 0, OW_ROLE_UNKNOWN, OW_SEEN_AT_MARK);
		if (!pending)
			return 0;
		css = task_memory_css(task);
		if (!decided && css)
			send_memcg((__u64)css_memcg(css), 0, OW_MEMCG_OF_VICTIM, tgid);
	}
	pending->marked = 1;
	if (!reserve(rec, OW_KIND_MARK, pending->decision))
		return 0;
	fill_mark(rec, tgid, tid);
	bpf_ringbuf_submit(rec, WAKE);
	return 0;
}

/* The task behind a bare thread id, when a function hook in the same context
 * has just shown it: the one being killed, or a chosen one that was dying
 * already and is marked without a kill. 0: no such hook.
 */
static __always_inline struct task_struct *task_being_marked(void)
{
	if (in_decision.invoker_tid != current_tid())
		return 0;
	return (void *)(in_decision.kill_seen ? in_decision.killed_task : in_decision.chosen_task);
}

/* Watches a thread id: its own SIGKILL will tell the rest (on_deliver). */
static __always_inline void watch_tid(__u32 tid)
{
	struct pending_victim fresh = {.role = OW_ROLE_UNKNOWN};

	if (!bpf_map_update_elem(&victims, &tid, &fresh, BPF_NOEXIST))
		__sync_fetch_and_add(&watching, 1);
}

/* oom:mark_victim of kernels that give only a thread id. */
static __always_inline int on_mark_tid(__u32 tid)
{
	struct task_struct *task = task_being_marked();
	struct ow_mark *rec;

	if (task) {
		in_decision.killed_task = 0;
		in_decision.chosen_task = 0;
		return on_mark_task(task, tid);
	}
	watch_tid(tid);
	if (!reserve(rec, OW_KIND_MARK, 0))
		return 0;
	fill_mark(rec, 0, tid);
	bpf_ringbuf_submit(rec, WAKE);
	return 0;
}

static __always_inline long read_argv(struct ow_argv *rec, __u32 want, unsigned long start)
{
	barrier_var(want); /* or clang proves the bound once and drops it here */
	if (want > OW_ARGV_BYTES)
		return -1;
	return bpf_probe_read_user(rec->argv, want, (void *)start);
}

__noinline int send_argv(__u64 decision)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	unsigned long start = BPF_CORE_READ(mm, arg_start);
	unsigned long end = BPF_CORE_READ(mm, arg_end);
	__u64 size = end > start ? end - start : 0;
	struct ow_argv *rec;
	__u32 want;
	long err;

	if (!reserve(rec, OW_KIND_ARGV, decision))
		return 0;
	rec->pid = current_tgid();
	rec->tid = current_tid();
	rec->argv_bytes = size;
	want = size < OW_ARGV_BYTES ? size : OW_ARGV_BYTES;
	err = read_argv(rec, want, start);
	if (err) {
		/* Perhaps only the second page of it is away. */
		__u32 first_page = 4096 - (start & 4095);

		want = want < first_page ? want : first_page;
		err = read_argv(rec, want, start);
	}
	if (mm && !err) {
		rec->hdr.has |= OW_HAS_ARGV;
		rec->captured = want;
	}
	rec->error = err;
	bpf_ringbuf_submit(rec, WAKE);
	return 0;
}

/* Closes the time in which sharers of a victim's mm are looked for. */
static __always_inline void close_shared_window(__u64 now)
{
	if (shared_until_ns && now > shared_until_ns) {
		shared_until_ns = 0;
		__sync_fetch_and_add(&watching, -1);
	}
}

/* A process that dies because it shares a victim's address space. */
static __noinline struct pending_victim *adopt_sharer(struct task_struct *task)
{
	__u64 mm = (__u64)BPF_CORE_READ(task, mm);
	struct shared_mm *shared = mm ? bpf_map_lookup_elem(&victim_mms, &mm) : 0;
	__u64 now = bpf_ktime_get_ns();

	close_shared_window(now);
	if (!shared || now - shared->since_ns > SHARED_MM_WINDOW_NS)
		return 0;
	return watch_victim(task, shared->decision, OW_ROLE_SHARED_MM);
}

/* signal:signal_deliver(SIGKILL), in the context of the one who dies: once for
 * each thread, the first one counts. argv is still there, no race can lose it.
 */
static __always_inline int on_deliver(int sig)
{
	struct task_struct *task;
	struct pending_victim *pending;
	__u32 tgid, tid;

	if (!watching || sig != SIGKILL_NR)
		return 0;
	task = (void *)bpf_get_current_task();
	tgid = current_tgid();
	tid = current_tid();
	pending = bpf_map_lookup_elem(&victims, &tgid);
	if (!pending && tid != tgid && bpf_map_lookup_elem(&victims, &tid)) {
		/* registered by a thread's id: the thread group is known now */
		bpf_map_delete_elem(&victims, &tid);
		__sync_fetch_and_add(&watching, -1);
		pending = watch_victim(task, 0, OW_ROLE_UNKNOWN);
	}
	if (!pending)
		pending = adopt_sharer(task);
	if (!pending || pending->delivered)
		return 0;
	pending->delivered = 1;
	if (!pending->described) {
		pending->described = 1;
		pending->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
		send_victim((__u64)task, pending->decision, pending->role, OW_SEEN_AT_DELIVER,
			    IN_OWN_CONTEXT);
	}
	send_argv(pending->decision);
	return 0;
}

/* sched:sched_process_exit: the last thread of the group is gone. */
static __always_inline int on_exit(void)
{
	struct pending_victim *pending;
	struct task_struct *task;
	struct ow_exit *rec;
	__u64 decision;
	__u32 tgid;

	if (!watching)
		return 0;
	tgid = current_tgid();
	pending = bpf_map_lookup_elem(&victims, &tgid);
	if (!pending) {
		close_shared_window(bpf_ktime_get_ns());
		return 0;
	}
	task = (void *)bpf_get_current_task();
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	if (pending->start_ns &&
	    pending->start_ns != BPF_CORE_READ(task, group_leader, start_boottime))
		return 0;
	decision = pending->decision;
	/* Two last threads may both see live == 0: who deletes, reports. */
	if (bpf_map_delete_elem(&victims, &tgid))
		return 0;
	__sync_fetch_and_add(&watching, -1);
	if (!reserve(rec, OW_KIND_EXIT, decision))
		return 0;
	rec->pid = tgid;
	rec->exit_code = BPF_CORE_READ(task, exit_code);
	bpf_ringbuf_submit(rec, WAKE);
	return 0;
}

static __always_inline int on_reap(__u32 tid, __u32 phase)
{
	struct ow_reap *rec;

	if (!reserve(rec, OW_KIND_REAP, 0))
		return 0;
	rec->tid = tid;
	rec->phase = phase;
	bpf_ringbuf_submit(rec, WAKE);
	return 0;
}

#endif /* OW_VICTIM_BPF_H */
