/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 * Made by scripts/vmlinux.sh: do not edit. The kernel's types as far as bpf/ uses them, from the
 * BTF of 7.2.13+deb14-cloud-amd64.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)

struct bpf_raw_tracepoint_args;
struct cgroup;
struct cgroup_root;
struct cgroup_subsys_state;
struct cred;
struct css_set;
struct dentry;
struct file;
struct hlist_bl_node;
struct kernfs_node;
struct list_head;
struct mem_cgroup;
struct mm_struct;
struct mount;
struct oom_control;
struct pid;
struct pid_namespace;
struct signal_struct;
struct task_struct;
struct trace_event_raw_finish_task_reaping;
struct trace_event_raw_signal_deliver;
struct trace_event_raw_skip_task_reaping;
struct trace_event_raw_start_task_reaping;
struct trace_event_raw_wake_reaper;
struct vfsmount;

typedef short unsigned int __u16;
typedef __u16 __be16;
typedef unsigned int __u32;
typedef __u32 __be32;
typedef short int __s16;
typedef int __s32;
typedef long long int __s64;
typedef signed char __s8;
typedef long long unsigned int __u64;
typedef unsigned char __u8;
typedef __u32 __wsum;
typedef __s64 s64;
typedef struct { s64 counter; } atomic64_t;
typedef atomic64_t atomic_long_t;
typedef _Bool bool;
typedef struct { long unsigned int bits[16]; } nodemask_t;
typedef unsigned int __kernel_uid32_t;
typedef __kernel_uid32_t uid_t;

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
};

enum {
	BPF_F_USER_STACK = 256,
	BPF_F_USER_BUILD_ID = 2048,
};

enum {
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};

enum {
	false = 0,
	true = 1,
};

enum bpf_func_id {
	BPF_FUNC_snprintf = 165,
};

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum cgroup_subsys_id {
	cpuset_cgrp_id = 0,
	memory_cgrp_id = 4,
};

enum node_stat_item {
	NR_INACTIVE_ANON = 0,
	NR_ACTIVE_ANON = 1,
	NR_INACTIVE_FILE = 2,
	NR_ACTIVE_FILE = 3,
	NR_UNEVICTABLE = 4,
	NR_SLAB_RECLAIMABLE_B = 5,
	NR_SLAB_UNRECLAIMABLE_B = 6,
	NR_ANON_MAPPED = 17,
	NR_FILE_MAPPED = 18,
	NR_FILE_PAGES = 19,
	NR_FILE_DIRTY = 20,
	NR_WRITEBACK = 21,
	NR_SHMEM = 22,
	NR_KERNEL_STACK_KB = 37,
	NR_PAGETABLE = 38,
};

enum oom_constraint {
	CONSTRAINT_NONE = 0,
};

enum zone_stat_item {
	NR_FREE_PAGES = 0,
	NR_MLOCK = 8,
};

struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct cgroup_root {
	int hierarchy_id;
};
typedef struct { uid_t val; } kuid_t;

struct cred {
	kuid_t uid;
};

struct css_set {
	struct cgroup_subsys_state *subsys[14];
	struct cgroup *dfl_cgrp;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct qstr {
	unsigned char *name;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
};
typedef __u64 u64;

struct kernfs_node {
	char *name;
	u64 id;
};

struct list_head {
	struct list_head *next;
};

struct page_counter {
	atomic_long_t usage;
	long unsigned int failcnt;
	long unsigned int max;
};

struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter memory;
	struct page_counter swap;
	bool oom_group;
};
typedef struct { int counter; } atomic_t;

struct mm_struct {
	atomic_t mm_users;
	atomic_long_t pgtables_bytes;
	long unsigned int total_vm;
	long unsigned int arg_start;
	long unsigned int arg_end;
	struct file *exe_file;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct ns_common {
	unsigned int inum;
};
typedef unsigned int gfp_t;

struct oom_control {
	nodemask_t *nodemask;
	struct mem_cgroup *memcg;
	gfp_t gfp_mask;
	int order;
	long unsigned int totalpages;
	struct task_struct *chosen;
	long int chosen_points;
	enum oom_constraint constraint;
};

struct percpu_counter {
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[0];
};

struct pid_namespace {
	struct ns_common ns;
};

struct pt_regs {
	long unsigned int ax;
	long unsigned int si;
	long unsigned int di;
};
typedef struct { long unsigned int sig[1]; } sigset_t;

struct sigpending {
	sigset_t signal;
};

struct signal_struct {
	atomic_t live;
	int nr_threads;
	struct list_head thread_head;
	struct sigpending shared_pending;
	unsigned int flags;
	short int oom_score_adj;
};
typedef int __kernel_pid_t;
typedef __kernel_pid_t pid_t;

struct task_struct {
	unsigned int flags;
	struct mm_struct *mm;
	int exit_code;
	pid_t pid;
	pid_t tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct list_head thread_node;
	u64 start_boottime;
	struct cred *real_cred;
	char comm[16];
	struct signal_struct *signal;
	struct sigpending pending;
	nodemask_t mems_allowed;
	struct css_set *cgroups;
};

struct trace_event_raw_finish_task_reaping {
	int pid;
};

struct trace_event_raw_signal_deliver {
	int sig;
};

struct trace_event_raw_skip_task_reaping {
	int pid;
};

struct trace_event_raw_start_task_reaping {
	int pid;
};

struct trace_event_raw_wake_reaper {
	int pid;
};
#pragma clang attribute pop

#endif /* __VMLINUX_H__ */
