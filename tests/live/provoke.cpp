// SPDX-License-Identifier: BSD-2-Clause
// provoke: one process of a provoked OOM kill. Tests, benchmarks and the demo put a kill together
// from several of them. It needs nothing but the kernel: link it statically and it runs in a guest
// with no C library.
//
// It is told what to do by words `key=value`, in the environment variable OW_PROVOKE (which leaves
// argv free to be as hostile as a test wants) or, without it, on the command line:
//
//   join=FILE     first write "0" to this cgroup.procs
//   adj=N uid=N   own oom_score_adj (default: unchanged), then own user id
//   comm=HEX      own comm, as bytes in hexadecimal
//   before=MIB    memory to touch before reporting ready
//   alloc=MIB|max memory to touch once told to go
//   kind=anon|memfd|unmapped   what both consist of: private memory, a mapped memfd, or a memfd
//   that
//                 nobody maps (memory that no process shows as its own)
//   block=1       block every signal
//   threads=N     N more threads; the last one allocates
//   leader=exit   the first thread ends before that
//   share=1       a second process on the same memory (clone(CLONE_VM) and no more)
//   node=N        bind memory to this NUMA node (MPOL_BIND)
//   go=1          do not wait to be told
//   mode=storm    n=N procs=FILE: N victims in turn, each in the cgroup of FILE, each with an argv
//   of
//                 its own ("storm-victim", "<number>"); prints "<pid>" as each is gone
//   mode=scores   read every /proc/PID/oom_score until stdin ends
//
// It prints "ready <pid> <tid of the allocating thread> <pid of the second process or 0>", waits
// for a byte on stdin, touches the memory, prints "done" and stays until stdin ends.
#include <dirent.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Words = std::map<std::string, std::string, std::less<>>;

constexpr std::size_t kMiB = 1024UL * 1024;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "provoke: %s: %s\n", what, std::strerror(errno));
  // Not exit(): a sharer of the memory may be running.
  _exit(125);
}

void add_word(Words& words, std::string_view word) {
  const std::size_t eq = word.find('=');
  if (eq == std::string_view::npos) {
    errno = EINVAL;
    die("words are key=value");
  }
  words.emplace(word.substr(0, eq), word.substr(eq + 1));
}

Words read_words(int argc, char** argv) {
  Words words;
  const char* env = std::getenv("OW_PROVOKE");
  if (env == nullptr) {
    for (int i = 1; i < argc; ++i) add_word(words, argv[i]);
    return words;
  }
  std::string_view rest = env;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (end > 0) add_word(words, rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return words;
}

std::string get(const Words& words, std::string_view key, std::string_view fallback = "") {
  const auto it = words.find(key);
  return std::string(it == words.end() ? fallback : std::string_view(it->second));
}

long number(const Words& words, std::string_view key, long fallback = 0) {
  const std::string text = get(words, key);
  return text.empty() ? fallback : std::strtol(text.c_str(), nullptr, 10);
}

void write_file(const char* path, std::string_view text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) die(path);
  if (write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) die(path);
  close(fd);
}

void say(const std::string& line) {
  const std::string text = line + "\n";
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) die("stdout");
}

// False when stdin has ended.
bool wait_for_byte() {
  char byte = 0;
  ssize_t got = 0;
  do {
    got = read(STDIN_FILENO, &byte, 1);
  } while (got < 0 && errno == EINTR);
  return got == 1;
}

long tid_of_caller() {
  return syscall(SYS_gettid);
}

void set_comm(const std::string& hex) {
  std::string comm;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    comm += static_cast<char>(std::strtol(hex.substr(i, 2).c_str(), nullptr, 16));
  if (prctl(PR_SET_NAME, comm.c_str()) != 0) die("prctl(PR_SET_NAME)");
}

void become(const Words& words) {
  if (words.contains("join")) write_file(get(words, "join").c_str(), "0");
  if (words.contains("adj")) write_file("/proc/self/oom_score_adj", get(words, "adj"));
  if (words.contains("uid")) {
    const auto uid = static_cast<uid_t>(number(words, "uid"));
    if (setresuid(uid, uid, uid) != 0) die("setresuid");
  }
  if (words.contains("comm")) set_comm(get(words, "comm"));
  if (number(words, "block") != 0) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
  }
  if (words.contains("node")) {
    const unsigned long mask = 1UL << number(words, "node");
    if (syscall(SYS_set_mempolicy, MPOL_BIND, &mask, 8 * sizeof mask) != 0) die("set_mempolicy");
  }
}

void touch(char* memory, std::size_t bytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (std::size_t at = 0; at < bytes; at += page) *static_cast<volatile char*>(memory + at) = 1;
}

void take_mapped(std::size_t bytes, int fd) {
  const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (memory == MAP_FAILED) die("mmap");
  // Page by page, so that what was touched and what is resident are the same number.
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  touch(static_cast<char*>(memory), bytes);
}

void take_unmapped(std::size_t bytes, int fd) {
  static std::array<char, 65536> chunk;
  chunk.fill(1);
  for (std::size_t done = 0; done < bytes; done += chunk.size()) {
    // A failed charge ends a write with ENOMEM, where a page fault would try again.
    while (pwrite(fd, chunk.data(), chunk.size(), static_cast<off_t>(done)) < 0)
      if (errno != ENOMEM) die("write to a memfd");
  }
}

void take(const std::string& kind, std::size_t bytes) {
  if (bytes == 0) return;
  if (kind == "anon") return take_mapped(bytes, -1);
  const int fd = memfd_create("provoke", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, static_cast<off_t>(bytes)) != 0) die("memfd_create");
  if (kind == "memfd") return take_mapped(bytes, fd);
  take_unmapped(bytes, fd);
}

std::size_t bytes_of(const std::string& mib) {
  if (mib == "max") return 1UL << 40;  // mapped without reserve: never reached
  return std::strtoul(mib.c_str(), nullptr, 10) * kMiB;
}

char state_of_leader() {
  std::array<char, 512> text{};
  const int fd = open(("/proc/self/task/" + std::to_string(getpid()) + "/stat").c_str(), O_RDONLY);
  if (fd < 0) die("the leader's stat");
  const ssize_t got = read(fd, text.data(), text.size() - 1);
  close(fd);
  const char* paren = got > 0 ? std::strrchr(text.data(), ')') : nullptr;
  return paren == nullptr ? '?' : paren[2];
}

int sharer_main(void* /*unused*/) {
  // Ends with its parent, whose stdin it shares, should nobody kill it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) pause();
}

pid_t start_sharer() {
  constexpr std::size_t kStack = 64UL * 1024;
  void* stack =
      mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) die("mmap a stack");
  const pid_t pid =
      clone(sharer_main, static_cast<char*>(stack) + kStack, CLONE_VM | SIGCHLD, nullptr);
  if (pid < 0) die("clone(CLONE_VM)");
  return pid;
}

struct Act {
  const Words* words;
  pid_t sharer;
  bool leader_exits;
};

[[noreturn]] void act(const Act& plan) {
  const Words& words = *plan.words;
  if (plan.leader_exits)
    while (state_of_leader() != 'Z') sched_yield();
  const std::string kind = get(words, "kind", "anon");
  take(kind, bytes_of(get(words, "before", "0")));
  say("ready " + std::to_string(getpid()) + " " + std::to_string(tid_of_caller()) + " " +
      std::to_string(plan.sharer));
  if (number(words, "go") == 0 && !wait_for_byte()) _exit(0);
  take(kind, bytes_of(get(words, "alloc", "0")));
  say("done");
  while (wait_for_byte()) {
  }
  _exit(0);
}

void* idle_thread(void* /*unused*/) {
  for (;;) pause();
}

void* acting_thread(void* plan) {
  act(*static_cast<const Act*>(plan));
}

int perform(const Words& words) {
  const pid_t sharer = number(words, "share") != 0 ? start_sharer() : 0;
  Act plan{&words, sharer, get(words, "leader") == "exit"};
  const long threads = number(words, "threads");
  if (threads == 0) act(plan);
  for (long i = 0; i < threads; ++i) {
    pthread_t thread{};
    const bool last = i + 1 == threads;
    if (pthread_create(&thread, nullptr, last ? acting_thread : idle_thread, &plan) != 0)
      die("pthread_create");
  }
  // The bare system call: pthread_exit() of a static program wants libgcc_s at run time. `plan`
  // lives on: the stack of the first thread is not unmapped when it ends.
  if (plan.leader_exits) syscall(SYS_exit, 0);
  for (;;) pause();
}

[[noreturn]] void storm_victim(const std::string& exe, const std::string& procs, long i) {
  std::string name = "storm-victim";
  std::string serial = std::to_string(i);
  // It joins after exec: killed before, it would still be called as we are.
  std::string env = "OW_PROVOKE=join=" + procs + " adj=1000 go=1 alloc=max";
  std::array<char*, 3> argv = {name.data(), serial.data(), nullptr};
  std::array<char*, 2> envp = {env.data(), nullptr};
  const int null = open("/dev/null", O_RDWR);
  dup2(null, STDOUT_FILENO);
  execve(exe.c_str(), argv.data(), envp.data());
  die("exec of a storm victim");
}

int storm(const Words& words) {
  std::array<char, 4096> exe{};
  if (readlink("/proc/self/exe", exe.data(), exe.size() - 1) < 0) die("/proc/self/exe");
  const std::string procs = get(words, "procs");
  say("ready " + std::to_string(getpid()) + " " + std::to_string(getpid()) + " 0");
  if (number(words, "go") == 0 && !wait_for_byte()) return 0;
  const long n = number(words, "n", 1);
  for (long i = 0; i < n; ++i) {
    const pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) storm_victim(exe.data(), procs, i);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
      errno = ECHILD;
      die("a storm victim was not killed");
    }
    say(std::to_string(pid));
  }
  say("done");
  return 0;
}

void read_all_scores() {
  DIR* proc = opendir("/proc");
  if (proc == nullptr) die("/proc");
  while (const dirent* entry = readdir(proc)) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    const std::string path = std::string("/proc/") + entry->d_name + "/oom_score";
    const int fd = open(path.c_str(), O_RDONLY);
    if (fd < 0) continue;
    std::array<char, 32> score{};
    if (read(fd, score.data(), score.size()) < 0) score[0] = 0;
    close(fd);
  }
  closedir(proc);
}

int scores() {
  read_all_scores();
  say("ready " + std::to_string(getpid()) + " " + std::to_string(getpid()) + " 0");
  fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  char byte = 0;
  while (read(STDIN_FILENO, &byte, 1) != 0) read_all_scores();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Words words = read_words(argc, argv);
  become(words);
  const std::string mode = get(words, "mode");
  if (mode == "storm") return storm(words);
  if (mode == "scores") return scores();
  return perform(words);
}
