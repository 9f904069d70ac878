// SPDX-License-Identifier: BSD-2-Clause
#include "agent/confinement.h"

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <array>
#include <cerrno>
#include <memory>

#include <cap-ng.h>

namespace oomwitness {
namespace {

constexpr std::array kKept{CAP_BPF, CAP_SYSLOG, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};

// What glibc, SQLite, threads, files and sockets need. A name that this architecture does not have
// is passed over.
constexpr std::array kAllowed{
    // files
    "read", "write", "pread64", "pwrite64", "readv", "writev", "preadv", "pwritev", "open",
    "openat", "close", "close_range", "stat", "fstat", "lstat", "newfstatat", "statx", "statfs",
    "fstatfs", "lseek", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents64",
    "getcwd", "dup", "dup2", "dup3", "fcntl", "flock", "fsync", "fdatasync", "ftruncate",
    "fallocate", "fadvise64", "fchmod", "fchmodat", "chmod", "fchown", "fchownat", "chown",
    "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "umask",
    "utimensat", "memfd_create", "sendfile", "copy_file_range",
    // waiting
    "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait",
    "epoll_pwait", "epoll_pwait2", "eventfd2", "signalfd4", "timerfd_create", "timerfd_settime",
    "pipe2", "pipe", "nanosleep", "clock_nanosleep", "inotify_init1", "inotify_add_watch",
    "inotify_rm_watch",
    // memory
    "mmap", "munmap", "mremap", "mprotect", "madvise", "brk", "mlock", "munlock", "mlockall",
    "membarrier",
    // threads and signals
    "futex", "futex_waitv", "set_robust_list", "get_robust_list", "rseq", "set_tid_address", "exit",
    "exit_group", "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait",
    "rt_sigpending", "sigaltstack", "restart_syscall", "sched_yield", "sched_getaffinity",
    "sched_getparam", "sched_getscheduler", "gettid", "getpid", "getppid", "prctl", "arch_prctl",
    // who, where and when
    "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "getrlimit",
    "prlimit64", "getrusage", "uname", "sysinfo", "getcpu", "getrandom", "capget", "clock_gettime",
    "clock_getres", "gettimeofday", "time", "times",
    // sockets
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "getsockname",
    "getpeername", "getsockopt", "setsockopt", "sendto", "sendmsg", "sendmmsg", "recvfrom",
    "recvmsg", "recvmmsg", "shutdown"};

// Of maps and programs that are there.
constexpr std::array kAllowedBpf{BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_GET_NEXT_KEY,
                                 BPF_OBJ_GET_INFO_BY_FD};
constexpr std::array<scmp_datum_t, 4> kAllowedIoctl{TCGETS, FIONREAD, FIONBIO,
                                                    PERF_EVENT_IOC_DISABLE};

struct Release {
  void operator()(void* filter) const noexcept { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

Status refused(int code) {
  return fail(code, "filter system calls (seccomp)", "seccomp = false in [service] goes without");
}

// 0, or -errno.
int allow_threads(void* filter) {
  const int code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
  // Its flags are in memory, where a filter cannot look; glibc then takes clone(2).
  return code != 0 ? code : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

int allow_parts(void* filter) {
  for (const auto command : kAllowedBpf) {
    const auto value = static_cast<scmp_datum_t>(command);
    const int code =
        seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(bpf), 1, SCMP_A0(SCMP_CMP_EQ, value, 0));
    if (code != 0) return code;
  }
  for (const scmp_datum_t request : kAllowedIoctl) {
    const int code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                                      SCMP_A1(SCMP_CMP_EQ, request, 0));
    if (code != 0) return code;
  }
  return 0;
}

}  // namespace

Status drop_capabilities() {
  if (capng_get_caps_process() != 0) return fail(errno, "read the capabilities of the process");
  std::array<bool, kKept.size()> had{};
  for (std::size_t i = 0; i < kKept.size(); ++i)
    had.at(i) = capng_have_capability(CAPNG_PERMITTED, static_cast<unsigned>(kKept.at(i))) != 0;
  const bool may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
  capng_clear(CAPNG_SELECT_ALL);
  for (std::size_t i = 0; i < kKept.size(); ++i) {
    if (!had.at(i)) continue;
    capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                 static_cast<unsigned>(kKept.at(i)));
  }
  // The bounding set first: dropping from it takes CAP_SETPCAP.
  if (may_bound && capng_apply(CAPNG_SELECT_BOUNDS) != 0)
    return fail(errno, "drop capabilities of the bounding set");
  if (capng_apply(CAPNG_SELECT_CAPS) != 0 || capng_apply(CAPNG_SELECT_AMBIENT) != 0)
    return fail(errno, "drop capabilities", "drop_capabilities = false in [service] goes without");
  return {};
}

Status confine_system_calls() {
  const Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return refused(ENOMEM);
  if (const int code = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1); code != 0)
    return refused(code);
  for (const char* name : kAllowed) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number < 0) continue;
    if (const int code = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, number, 0); code != 0)
      return refused(code);
  }
  if (const int code = allow_threads(filter.get()); code != 0) return refused(code);
  if (const int code = allow_parts(filter.get()); code != 0) return refused(code);
  if (const int code = seccomp_load(filter.get()); code != 0) return refused(code);
  return {};
}

}  // namespace oomwitness
