// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Attach points: doors, not rooms. A program is named <what>_<hook kind>. All are
 * off ('?') until user space picks one way for each thing to observe
 * (user/capture/hook_table.cpp).
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "event.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u64 page_size = 4096;

#include "compat.bpf.h"
#include "maps.bpf.h"
#include "task.bpf.h"
#include "decision.bpf.h"
#include "victim.bpf.h"

/* Locals leave no trace in BTF; these put the wire there, for tests/object. */
const struct ow_decision *const volatile abi_decision;
const struct ow_memcg *const volatile abi_memcg;
const struct ow_candidates *const volatile abi_candidates;
const struct ow_stack *const volatile abi_stack;
const struct ow_system *const volatile abi_system;
const struct ow_victim *const volatile abi_victim;
const struct ow_mark *const volatile abi_mark;
const struct ow_argv *const volatile abi_argv;
const struct ow_reap *const volatile abi_reap;
const struct ow_exit *const volatile abi_exit;

/* Argument n of a traced function, as a plain address: the verifier gives it a
 * type, which the global functions behind the doors do not take.
 */
static __always_inline void *argument(const __u64 *ctx, int n)
{
	void *value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), &ctx[n]);
	return value;
}

/* ---- out_of_memory: a scan begins */

SEC("?fentry/out_of_memory")
int scan_start_fentry(__u64 *ctx)
{
	return on_scan_start();
}

SEC("?kprobe/out_of_memory")
int BPF_KPROBE(scan_start_kprobe, struct oom_control *oc)
{
	return on_scan_start();
}

/* ---- oom_badness: a candidate is weighed */

SEC("?fexit/oom_badness")
int candidate_fexit(__u64 *ctx) /* (task, totalpages), points */
{
	__s64 points = ctx[2];

	/* Thousands of tasks pass: argument() only for those that are kept. */
	if (!count_candidate(points, OW_CANDIDATE_EXACT))
		return 0;
	return keep_candidate((__u64)argument(ctx, 0), points);
}

SEC("?kprobe/oom_badness")
int BPF_KPROBE(candidate_entry_kprobe, struct task_struct *task)
{
	if (scan.tid == current_tid())
		scan.entry_task = (__u64)task;
	return 0;
}

static __always_inline int on_candidate_return(long points)
{
	struct task_struct *task = (void *)scan.entry_task;

	if (scan.tid != current_tid() || !task)
		return 0;
	scan.entry_task = 0;
	return on_candidate(task, points, OW_CANDIDATE_EXACT);
}

SEC("?kretprobe/oom_badness")
int BPF_KRETPROBE(candidate_kretprobe, long points)
{
	return on_candidate_return(points);
}

/* GCC may split the function: 5.10's oom_badness is only called by /proc, the
 * scan calls oom_badness.part.0.
 */
SEC("?kprobe/oom_badness.part.0")
int BPF_KPROBE(candidate_entry_part_kprobe, struct task_struct *task)
{
	if (scan.tid == current_tid())
		scan.entry_task = (__u64)task;
	return 0;
}

SEC("?kretprobe/oom_badness.part.0")
int BPF_KRETPROBE(candidate_part_kretprobe, long points)
{
	return on_candidate_return(points);
}

SEC("?fentry/oom_evaluate_task")
int candidate_evaluate_fentry(__u64 *ctx) /* (task, oc) */
{
	return on_evaluate(argument(ctx, 0), argument(ctx, 1));
}

SEC("?kprobe/oom_evaluate_task")
int BPF_KPROBE(candidate_evaluate_kprobe, struct task_struct *task, void *arg)
{
	return on_evaluate(task, arg);
}

/* ---- oom_kill_process: the decision */

SEC("?fentry/oom_kill_process")
int decision_fentry(__u64 *ctx) /* (oc, message) */
{
	return on_decision(ctx, argument(ctx, 0), argument(ctx, 1));
}

SEC("?kprobe/oom_kill_process")
int BPF_KPROBE(decision_kprobe, struct oom_control *oc, const char *message)
{
	return on_decision(ctx, oc, message);
}

/* ---- __oom_kill_process: each task about to be killed */

SEC("?fentry/__oom_kill_process")
int victim_kill_fentry(__u64 *ctx) /* (victim, message) */
{
	return on_victim_kill(argument(ctx, 0));
}

SEC("?kprobe/__oom_kill_process")
int BPF_KPROBE(victim_kill_kprobe, struct task_struct *victim)
{
	return on_victim_kill(victim);
}

/* ---- oom:mark_victim */

SEC("?tp_btf/mark_victim")
int mark_victim_tp_btf(__u64 *ctx)
{
	if (mark_victim_gives_task()) {
		struct task_struct *task = argument(ctx, 0);

		return on_mark_task(task, BPF_CORE_READ(task, pid));
	}
	return on_mark_tid(ctx[0]);
}

SEC("?raw_tp/mark_victim")
int mark_victim_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	__u32 tid = 0;

	/* Nothing types the argument here: where it is an integer the read fails. */
	if (mark_victim_gives_task() && !bpf_core_read(&tid, sizeof(tid), &task->pid))
		return on_mark_task(task, tid);
	return on_mark_tid(ctx->args[0]);
}

static __noinline int send_mark_fields(struct trace_event_raw_mark_victim___v6_9 *ctx)
{
	struct ow_mark *rec;
	__u32 tid = ctx->pid;
	__u32 comm_at = ctx->__data_loc_comm & 0xffff;

	if (!reserve(rec, OW_KIND_MARK, 0))
		return 0;
	fill_mark(rec, 0, tid);
	rec->hdr.has |= OW_HAS_SIZES;
	rec->total_vm_bytes = ctx->total_vm * 1024;
	rec->anon_bytes = ctx->anon_rss * 1024;
	rec->file_bytes = ctx->file_rss * 1024;
	rec->shmem_bytes = ctx->shmem_rss * 1024;
	rec->pgtables_bytes = ctx->pgtables * 1024;
	rec->uid = ctx->uid;
	rec->oom_score_adj = ctx->oom_score_adj;
	bpf_probe_read_kernel_str(rec->comm, sizeof(rec->comm), (void *)ctx + comm_at);
	bpf_ringbuf_submit(rec, WAKE);
	return 0;
}

SEC("?tracepoint/oom/mark_victim")
int mark_victim_tracepoint(struct trace_event_raw_mark_victim___v6_9 *ctx)
{
	__u32 tid = ctx->pid;

	if (mark_victim_gives_task() && !task_being_marked()) {
		watch_tid(tid);
		return send_mark_fields(ctx);
	}
	return on_mark_tid(tid);
}

/* ---- signal:signal_deliver and sched:sched_process_exit, on everybody's path.
 * The classic tracepoint comes first: where raw tracepoints are preemptible
 * (7.x) the kernel drops a run that finds the same program on the same CPU.
 */

SEC("?tracepoint/signal/signal_deliver")
int deliver_tracepoint(struct trace_event_raw_signal_deliver *ctx)
{
	return on_deliver(ctx->sig);
}

SEC("?tp_btf/signal_deliver")
int deliver_tp_btf(__u64 *ctx)
{
	return on_deliver(ctx[0]);
}

SEC("?raw_tp/signal_deliver")
int deliver_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return on_deliver(ctx->args[0]);
}

SEC("?tracepoint/sched/sched_process_exit")
int exit_tracepoint(void *ctx)
{
	return on_exit();
}

SEC("?tp_btf/sched_process_exit")
int exit_tp_btf(__u64 *ctx)
{
	return on_exit();
}

SEC("?raw_tp/sched_process_exit")
int exit_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return on_exit();
}

/* ---- the reaper: four tracepoints of one shape, each (int pid) */

#define REAPER_DOORS(what, tracepoint_name, phase)                                                 \
	SEC("?tp_btf/" #tracepoint_name)                                                           \
	int what##_tp_btf(__u64 *ctx)                                                              \
	{                                                                                          \
		return on_reap(ctx[0], phase);                                                     \
	}                                                                                          \
	SEC("?raw_tp/" #tracepoint_name)                                                           \
	int what##_raw_tp(struct bpf_raw_tracepoint_args *ctx)                                     \
	{                                                                                          \
		return on_reap(ctx->args[0], phase);                                               \
	}                                                                                          \
	SEC("?tracepoint/oom/" #tracepoint_name)                                                   \
	int what##_tracepoint(struct trace_event_raw_##tracepoint_name *ctx)                       \
	{                                                                                          \
		return on_reap(ctx->pid, phase);                                                   \
	}

REAPER_DOORS(reaper_wake, wake_reaper, OW_REAP_WAKE)
REAPER_DOORS(reaper_start, start_task_reaping, OW_REAP_START)
REAPER_DOORS(reaper_finish, finish_task_reaping, OW_REAP_FINISH)
REAPER_DOORS(reaper_skip, skip_task_reaping, OW_REAP_SKIP)
