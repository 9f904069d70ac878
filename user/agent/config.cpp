// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config.h"

#include <bit>

#include "capture/hook_plan.h"

namespace oomwitness {
namespace {

template <typename T, typename U>
void set(T& into, const std::optional<U>& value) {
  if (value) into = static_cast<T>(*value);
}

void read_store(ConfigSection section, AgentConfig& config) {
  set(config.store_path, section.text("path"));
  if (!config.store_path.starts_with('/')) section.refuse("path", "expected an absolute path");
  if (const auto age = section.duration("max_age"))
    config.store.max_age = std::chrono::duration_cast<std::chrono::seconds>(*age);
  set(config.store.max_bytes, section.size("max_size"));
  set(config.store.unsent_bytes, section.size("unsent_size"));
  constexpr std::uint64_t kLeast = 1U << 20U;
  if (config.store.max_bytes < kLeast) section.refuse("max_size", "expected 1MiB or more");
}

void read_capture(ConfigSection section, CaptureConfig& capture) {
  capture.hooks = section.texts("hooks");
  for (const std::string& hook : capture.hooks) {
    if (const auto plan = HookPlan::make({}, {hook}); !plan)
      section.refuse("hooks", plan.error().context());
  }
  if (const auto btf = section.text("btf")) capture.btf = *btf;
  if (const auto ring = section.size("ring_size")) {
    constexpr std::uint64_t kLeast = 64U << 10U;
    constexpr std::uint64_t kMost = 1U << 30U;
    if (*ring < kLeast || *ring > kMost || !std::has_single_bit(*ring))
      section.refuse("ring_size", "expected a power of two from 64KiB to 1GiB");
    else
      capture.ring_bytes = static_cast<std::uint32_t>(*ring);
  }
  set(capture.settle, section.duration("settle"));
  set(capture.roots.root, section.text("root"));
  set(capture.roots.proc, section.text("proc"));
  set(capture.kernel_log, section.text("kernel_log"));
  set(capture.earlier_boots, section.flag("earlier_boots"));
}

void read_redact(ConfigSection section, RedactConfig& redact) {
  set(redact.secrets, section.flag("secrets"));
  redact.names = section.texts("names");
  set(redact.all, section.flag("all"));
}

void read_service(ConfigSection section, ServiceConfig& service) {
  set(service.lock_memory, section.flag("lock_memory"));
  constexpr std::int64_t kMost = 1000;
  if (const auto adj = section.number("oom_score_adj", -kMost, kMost)) service.oom_score_adj = *adj;
  set(service.drop_capabilities, section.flag("drop_capabilities"));
  set(service.seccomp, section.flag("seccomp"));
}

}  // namespace

AgentConfig read_agent_config(ConfigFile& file) {
  AgentConfig config;
  ConfigSection top = file.top();
  read_store(top.section("store"), config);
  read_capture(top.section("capture"), config.capture);
  read_redact(top.section("redact"), config.redact);
  read_service(top.section("service"), config.service);
  return config;
}

}  // namespace oomwitness
