// SPDX-License-Identifier: BSD-2-Clause
#include "capture/bpf/tracing_targets.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <array>
#include <cerrno>
#include <optional>
#include <unordered_map>
#include <utility>

namespace oomwitness {
namespace {

struct Section {
  std::string_view prefix;
  const char* handler;  // as libbpf_register_prog_handler() takes it: with anything after a '/'
  bpf_attach_type attach_type;
};

constexpr std::array kSections{Section{"fentry/", "fentry+", BPF_TRACE_FENTRY},
                               Section{"fexit/", "fexit+", BPF_TRACE_FEXIT},
                               Section{"tp_btf/", "tp_btf+", BPF_TRACE_RAW_TP}};

const Section* section_of(std::string_view name) {
  for (const Section& section : kSections) {
    if (name.starts_with(section.prefix)) return &section;
  }
  return nullptr;
}

struct Target {
  std::uint32_t kind = 0;
  std::string section;
};

}  // namespace

struct TracingTargets::Handlers {
  std::optional<TargetIds> ids;
  std::vector<int> registered;

  Handlers() = default;
  Handlers(const Handlers&) = delete;
  Handlers& operator=(const Handlers&) = delete;
  Handlers(Handlers&&) = delete;
  Handlers& operator=(Handlers&&) = delete;
  ~Handlers() {
    for (const int handler : registered) libbpf_unregister_prog_handler(handler);
  }
};

namespace {

// The id, or -errno.
int target_id(const std::optional<TargetIds>& ids, std::string_view name, const Section& section) {
  if (!ids) {
    const std::string target(name.substr(section.prefix.size()));
    return libbpf_find_vmlinux_btf_id(target.c_str(), section.attach_type);
  }
  const auto found = ids->find(name);
  return found == ids->end() ? -ESRCH : static_cast<int>(found->second);
}

int prepare(bpf_program* program, bpf_prog_load_opts* options, long cookie) noexcept {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): libbpf's cookie is a long
  const auto& ids = *reinterpret_cast<const std::optional<TargetIds>*>(cookie);
  const std::string_view name = bpf_program__section_name(program);
  const Section* section = section_of(name);
  if (section == nullptr) return -EINVAL;
  const int id = target_id(ids, name, *section);
  if (id < 0) return id;
  options->attach_btf_id = static_cast<std::uint32_t>(id);
  return bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
}

}  // namespace

std::vector<std::string> tracing_sections(const bpf_object* object) {
  std::vector<std::string> sections;
  const bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(object, const_cast<bpf_program*>(program))) !=
         nullptr) {
    const std::string_view name = bpf_program__section_name(program);
    if (section_of(name) != nullptr) sections.emplace_back(name);
  }
  return sections;
}

TargetIds find_targets(const RawBtf& kernel, const std::vector<std::string>& sections) {
  std::unordered_map<std::string, std::vector<Target>> wanted;
  NameFilter filter;
  for (const std::string& name : sections) {
    const Section* section = section_of(name);
    if (section == nullptr) continue;
    const std::string target = name.substr(section->prefix.size());
    if (section->attach_type == BPF_TRACE_RAW_TP) {
      wanted["btf_trace_" + target].push_back({BTF_KIND_TYPEDEF, name});
    } else {
      wanted[target].push_back({BTF_KIND_FUNC, name});
    }
  }
  for (const auto& [name, targets] : wanted) filter.add(name.c_str());
  TargetIds ids;
  for (std::uint32_t id = 1; id <= kernel.count(); ++id) {
    const btf_type type = kernel.type(id);
    const std::uint32_t kind = BTF_INFO_KIND(type.info);
    if (kind != BTF_KIND_FUNC && kind != BTF_KIND_TYPEDEF) continue;
    const char* name = kernel.name(type.name_off);
    if (name == nullptr) continue;
    if (!filter.may_have(name)) continue;
    const auto found = wanted.find(name);
    if (found == wanted.end()) continue;
    for (const Target& target : found->second) {
      if (target.kind == kind) ids.emplace(target.section, id);
    }
  }
  return ids;
}

Result<TracingTargets> TracingTargets::take_over() {
  auto handlers = std::make_shared<Handlers>();
  for (const Section& section : kSections) {
    LIBBPF_OPTS(libbpf_prog_handler_opts, options);
    options.cookie = reinterpret_cast<long>(&handlers->ids);
    options.prog_prepare_load_fn = prepare;
    // As a tracing program from the beginning it would have libbpf parse the kernel's BTF.
    const int handler = libbpf_register_prog_handler(section.handler, BPF_PROG_TYPE_RAW_TRACEPOINT,
                                                     section.attach_type, &options);
    if (handler < 0) return fail(handler, "register a handler of BPF programs");
    handlers->registered.push_back(handler);
  }
  return TracingTargets(std::move(handlers));
}

void TracingTargets::know(TargetIds ids) {
  handlers_->ids = std::move(ids);
}

}  // namespace oomwitness
