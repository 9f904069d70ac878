// SPDX-License-Identifier: BSD-2-Clause
#include "capture/bpf/tracer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <system_error>
#include <utility>
#include <variant>

#include "capture/bpf/btf_excerpt.h"
#include "capture/bpf/btf_file.h"
#include "capture/bpf/kernel_probe.h"
#include "capture/bpf/libbpf_log.h"
#include "capture/bpf/skeleton.h"
#include "capture/bpf/tracing_targets.h"
#include "capture/kallsyms.h"

namespace oomwitness {
namespace {

struct RingDeleter {
  void operator()(ring_buffer* ring) const noexcept { ring_buffer__free(ring); }
};

int on_sample(void* context, void* record, std::size_t size) noexcept {
  const auto& handler = *static_cast<const Tracer::RecordHandler*>(context);
  handler({static_cast<const std::byte*>(record), size});
  return 0;  // a negative value would end libbpf's batch
}

using Links = std::vector<LinkPtr>;

// The load failed because of this hook's way; the plan has moved on.
struct Refused {};

std::string reason(std::string_view stage, const Error& error) {
  constexpr int kNotSupported = 524;  // ENOTSUPP, include/linux/errno.h: not one of user space's
  const bool kernel_only = error.code().value() == kNotSupported;
  return std::string(stage) + ": " +
         (kernel_only ? "Not supported by this kernel" : error.code().message());
}

Error nothing_attached(const HookPlan& plan, const Error& last) {
  return Error({}, "no OOM hook could be attached:" + plan.reasons(),
               refusal_hint(last.code().value()));
}

// Refused before any program's turn came: maps or the object itself. Every hook shares it.
void refuse_all(HookPlan& plan, const std::string& why) {
  for (const HookRow& row : hook_table()) {
    if (plan.current(row.hook) != nullptr) plan.refuse(row.hook, why);
  }
}

// Hooks that are of no use without another one.
void drop_dependents(HookPlan& plan) {
  const auto drop = [&](Hook hook, const char* why) {
    while (plan.current(hook) != nullptr) plan.refuse(hook, why);
  };
  if (plan.current(Hook::kDecision) == nullptr) drop(Hook::kScan, "needs oom_kill_process");
  if (plan.current(Hook::kScan) == nullptr) drop(Hook::kCandidates, "needs out_of_memory");
  if (plan.current(Hook::kCandidates) == nullptr) drop(Hook::kScan, "needs oom_badness");
}

// Where libbpf looks up the kernel's types: for CO-RE, and for what tracing programs attach to.
struct KernelTypes {
  TracingTargets targets;
  std::optional<std::string> path;  // none: CO-RE searches all of the kernel's own
  std::optional<ExcerptFile> excerpt;
  bool known = false;  // the kernel's BTF has been read
};

void say_slow(const TracerOptions& options, const Error& error) {
  if (options.log) options.log("no excerpt of the kernel's BTF, a slow start: " + error.message());
}

Result<KernelTypes> choose_types(const TracerOptions& options) {
  TRY(auto targets, TracingTargets::take_over());
  KernelTypes types{.targets = std::move(targets), .path = options.btf_path, .excerpt = {}};
  if (types.path) return types;
  auto file = ExcerptFile::create();
  if (!file) {
    say_slow(options, file.error());
    return types;
  }
  types.path = file->path();
  types.excerpt = *std::move(file);
  return types;
}

// Reads the kernel's BTF once, for all that is looked up in it.
Status learn_types(KernelTypes& types, const Opened& opened) {
  TRY(const auto file, BtfFile::open(kKernelBtf));
  TRY(const auto kernel, RawBtf::parse(file.bytes()));
  if (types.excerpt) CHECK_OK(types.excerpt->fill(kernel, bpf_object__btf(opened->obj)));
  types.targets.know(find_targets(kernel, tracing_sections(opened->obj)));
  return {};
}

Result<Opened> open_with(const KernelTypes& types) {
  LIBBPF_OPTS(bpf_object_open_opts, open_options);
  open_options.btf_custom_path = types.path ? types.path->c_str() : nullptr;
  return Opened::open(&open_options);
}

Result<Opened> open_object(KernelTypes& types, const TracerOptions& options) {
  TRY(auto opened, open_with(types));
  if (types.known || (options.btf_path && ::access(kKernelBtf, R_OK) != 0)) return opened;
  const Status learnt = learn_types(types, opened);
  types.known = true;
  if (learnt) return opened;
  say_slow(options, learnt.error());
  types.path = options.btf_path;
  types.excerpt.reset();
  return open_with(types);
}

Result<Opened> open_chosen(const HookPlan& plan, KernelTypes& types, const TracerOptions& options) {
  TRY(auto opened, open_object(types, options));
  opened->rodata->page_size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  if (const int err = bpf_map__set_max_entries(opened->maps.events, options.ring_bytes)) {
    return fail(err, "set the ring buffer's size");
  }
  for (const HookRow& row : hook_table()) {
    const Way* way = plan.current(row.hook);
    if (way == nullptr) continue;
    for (const std::string_view name : way->programs) {
      bpf_program__set_autoload(opened.program(name.data()), true);
    }
  }
  return opened;
}

Result<std::variant<Loaded, Refused>> try_load(HookPlan& plan, KernelTypes& types,
                                               const TracerOptions& options, LibbpfLog& log) {
  TRY(auto opened, open_chosen(plan, types, options));
  log.clear();
  auto loaded = std::move(opened).load();
  if (loaded) return std::variant<Loaded, Refused>(*std::move(loaded));
  const auto culprit = plan.owner(log.program());
  if (!culprit) {
    // For EPERM the first warning is about the memory limit, which is not what is missing.
    const bool explained = loaded.error().code().value() != EPERM && !log.cause().empty();
    refuse_all(plan, reason("load", loaded.error()) + (explained ? " (" + log.cause() + ")" : ""));
    return tl::make_unexpected(nothing_attached(plan, loaded.error()));
  }
  const std::string_view way = plan.current_name(*culprit);
  const std::string why = reason("load", loaded.error());
  plan.refuse(*culprit, why);
  // EPERM (not EACCES, which is the verifier's) is about the kind of program: capabilities or
  // lockdown (kernel/bpf/syscall.c, bpf_prog_load).
  if (loaded.error().code().value() == EPERM) plan.refuse_kind(way, why);
  return std::variant<Loaded, Refused>(Refused{});
}

// All programs of a way, or none.
Result<Links> attach_way(const Loaded& loaded, const Way& way) {
  Links links;
  for (const std::string_view name : way.programs) {
    const bpf_program* program = loaded.program(name.data());
    // Tracing programs have lost libbpf's handler of their section, see TracingTargets.
    const bool tracing = bpf_program__type(program) == BPF_PROG_TYPE_TRACING;
    LinkPtr link(tracing ? bpf_program__attach_trace(program) : bpf_program__attach(program));
    if (!link) return fail(errno, "attach");
    links.push_back(std::move(link));
  }
  return links;
}

enum class Attached { kAll, kAnotherWayIsLeft };

Attached attach_chosen(const Loaded& loaded, HookPlan& plan, Links& links) {
  Attached outcome = Attached::kAll;
  for (const HookRow& row : hook_table()) {
    drop_dependents(plan);
    const Way* way = plan.current(row.hook);
    if (way == nullptr) continue;
    auto attached = attach_way(loaded, *way);
    if (attached) {
      std::move(attached->begin(), attached->end(), std::back_inserter(links));
      continue;
    }
    plan.refuse(row.hook, reason("attach", attached.error()));
    if (plan.current(row.hook) != nullptr) outcome = Attached::kAnotherWayIsLeft;
  }
  return outcome;
}

Status keep_promises(const HookPlan& plan) {
  const auto broken = plan.broken_promise();
  if (!broken) return {};
  const Refusal& refusal = plan.refusals(*broken).back();
  return fail("--hook " + std::string(hook_row(*broken).name) + "=" + std::string(refusal.way) +
                  " does not work on this kernel: " + refusal.reason,
              "leave --hook out, and the best way that works is taken");
}

bool sees_kills(const HookPlan& plan) {
  return plan.current(Hook::kMarkVictim) != nullptr || plan.current(Hook::kVictimKill) != nullptr;
}

// What the user can do something about: rights, before what the kernel has not got.
Error last_refusal(const HookPlan& plan) {
  const bool rights = plan.reasons().find("not permitted") != std::string::npos ||
                      plan.reasons().find("denied") != std::string::npos;
  return Error(std::error_code(rights ? EPERM : 0, std::generic_category()),
               "every hook was turned off or refused");
}

// The type of the skeleton's .bss has no name of its own.
template <typename Bss>
void tell_what_follows(Bss& bss, const HookPlan& plan) {
  const auto hooked = [&](Hook hook) { return plan.current(hook) != nullptr; };
  bss.kill_follows = hooked(Hook::kVictimKill) ? 1 : 0;
  bss.mark_follows = hooked(Hook::kMarkVictim) && hooked(Hook::kProcessExit) ? 1 : 0;
}

}  // namespace

struct Tracer::Parts {
  HookPlan plan;
  TracingTargets targets;  // outlives the object, which may refer to it
  Loaded loaded;
  Links links;
  RecordHandler handler;
  std::unique_ptr<ring_buffer, RingDeleter> ring;
};

Tracer::Tracer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Tracer::Tracer(Tracer&&) noexcept = default;
Tracer& Tracer::operator=(Tracer&&) noexcept = default;
Tracer::~Tracer() = default;

Result<Tracer> Tracer::attach(const TracerOptions& options, RecordHandler on_record) {
  LibbpfLog log(options.log);
  const KernelFacts facts = probe_kernel();
  if (!facts.kernel_btf && !options.btf_path) {
    return fail(ENOENT, "no OOM hook could be attached: open /sys/kernel/btf/vmlinux",
                refusal_hint(ENOENT));
  }
  TRY(auto plan, HookPlan::make(facts, options.hooks));
  TRY(auto types, choose_types(options));
  // Each round takes a whole step down the ladder, so it ends.
  for (;;) {
    drop_dependents(plan);
    TRY(auto outcome, try_load(plan, types, options, log));
    CHECK_OK(keep_promises(plan));
    auto* loaded = std::get_if<Loaded>(&outcome);
    if (loaded == nullptr) continue;
    Links links;
    const Attached attached = attach_chosen(*loaded, plan, links);
    CHECK_OK(keep_promises(plan));
    if (attached == Attached::kAnotherWayIsLeft) continue;
    if (!facts.badness_is_split && plan.counts_on_whole_badness() &&
        badness_is_split_by_symbols()) {
      plan.refuse(Hook::kCandidates, "it would see nothing: the scan calls oom_badness.part.0");
      CHECK_OK(keep_promises(plan));
      continue;
    }
    if (!sees_kills(plan)) {
      return tl::make_unexpected(nothing_attached(plan, last_refusal(plan)));
    }
    tell_what_follows(*(*loaded)->bss, plan);
    auto parts = std::make_unique<Parts>(Parts{.plan = std::move(plan),
                                               .targets = types.targets,
                                               .loaded = std::move(*loaded),
                                               .links = std::move(links),
                                               .handler = std::move(on_record),
                                               .ring = nullptr});
    parts->ring.reset(ring_buffer__new(bpf_map__fd(parts->loaded->maps.events), on_sample,
                                       &parts->handler, nullptr));
    if (!parts->ring) return fail(errno, "map the BPF ring buffer");
    return Tracer(std::move(parts));
  }
}

const HookPlan& Tracer::plan() const noexcept {
  return parts_->plan;
}

int Tracer::ring_fd() const noexcept {
  return ring_buffer__epoll_fd(parts_->ring.get());
}

Result<std::size_t> Tracer::drain() {
  const int n = ring_buffer__consume(parts_->ring.get());
  if (n < 0) return fail(n, "read the BPF ring buffer");
  return static_cast<std::size_t>(n);
}

std::uint64_t Tracer::lost_records() const {
  std::uint64_t total = 0;
  for (const auto count : parts_->loaded->bss->lost) total += count;
  return total;
}

std::uint64_t Tracer::missed_runs() const {
  std::uint64_t total = 0;
  for (const HookRow& row : hook_table()) {
    const Way* way = parts_->plan.current(row.hook);
    if (way == nullptr) continue;
    for (const std::string_view name : way->programs) {
      bpf_prog_info info{};
      __u32 size = sizeof(info);
      const int fd = bpf_program__fd(parts_->loaded.program(name.data()));
      if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0) total += info.recursion_misses;
    }
  }
  return total;
}

Result<std::size_t> Tracer::find_kernel_variables(const std::string& proc) {
  constexpr std::array<std::string_view, 5> kNames{
      "vm_node_stat", "vm_zone_stat", "_totalram_pages", "nr_swap_pages", "total_swap_pages"};
  TRY(const auto found, find_symbols(proc, kNames));
  const auto address = [&](std::string_view name) {
    const auto it = found.find(std::string(name));
    return it == found.end() ? 0 : it->second;
  };
  auto& vars = parts_->loaded->bss->kernel_vars;
  vars.vm_node_stat = address(kNames[0]);
  vars.vm_zone_stat = address(kNames[1]);
  vars.nr_swap_pages = address(kNames[3]);
  vars.total_swap_pages = address(kNames[4]);
  vars.totalram_pages = address(kNames[2]);  // last: the programs look at it first
  return found.size();
}

}  // namespace oomwitness
