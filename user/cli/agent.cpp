// SPDX-License-Identifier: BSD-2-Clause
// oomwitness-agent: the service. A program of its own, so that a trace loads none of its libraries.
#include "agent/agent.h"

#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "agent/config.h"
#include "agent/confinement.h"
#include "agent/exporters.h"
#include "agent/recorder/recorder_part.h"
#include "agent/residence.h"
#include "agent/service.h"
#include "cli/agent_options.h"
#include "cli/terminal.h"
#include "cli/version.h"
#include "store/database.h"
#include "support/end_signals.h"
#include "support/oom_score_adj.h"

namespace oomwitness {
namespace {

// The kernel's types take 10 MiB while the programs are loaded. With a fixed threshold they are
// mapped on their own and go back to the kernel; with one arena, threads cost no heap each.
void keep_memory_small() {
  // Before threads: NOLINTBEGIN(concurrency-mt-unsafe)
  ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  ::mallopt(M_ARENA_MAX, 1);
  // NOLINTEND(concurrency-mt-unsafe)
}

struct Configured {
  ConfigFile file;
  AgentConfig config;
  std::vector<ExporterConfig> exporters;
  RecorderConfig recorder;
};

// Where the agent keeps what it needs after a restart.
std::string state_folder(const AgentConfig& config) {
  return config.store_path.substr(0, config.store_path.rfind('/'));
}

Result<Configured> read_config(const std::string& path) {
  TRY(auto file, ConfigFile::read(path));
  AgentConfig config = read_agent_config(file);
  std::vector<ExporterConfig> exporters = read_exporters(file, state_folder(config));
  const RecorderConfig recorder = read_recorder_config(file);
  CHECK_OK(file.finish());
  return Configured{std::move(file), std::move(config), std::move(exporters), recorder};
}

// A store that cannot be read any more must not keep the next kills from being kept.
Result<Store> open_store(const AgentConfig& config, const AgentLog& log) {
  auto store = Store::open(config.store_path, config.store);
  if (store || !is_corruption(store.error())) return store;
  log.say(Severity::kError, store.error());
  const std::string aside = config.store_path + ".damaged-" + std::to_string(std::time(nullptr));
  for (const char* part : {"", "-wal", "-shm"}) {
    const std::string file = config.store_path + part;
    if (std::rename(file.c_str(), (aside + part).c_str()) != 0 && errno != ENOENT)
      return fail(errno, "move " + file + " aside");
  }
  log.say(Severity::kError, "the damaged store is kept as " + aside + "; a new one is made");
  return Store::open(config.store_path, config.store);
}

void settle_in(const AgentConfig& config, const AgentLog& log) {
  if (config.service.lock_memory)
    if (const Status locked = lock_memory(); !locked) log.say(Severity::kWarning, locked.error());
  if (!config.service.oom_score_adj) return;
  const Status lowered =
      set_own_oom_score_adj("/proc", static_cast<int>(*config.service.oom_score_adj));
  if (!lowered) log.say(Severity::kWarning, lowered.error());
}

void confine(const AgentConfig& config, const AgentLog& log) {
  if (config.service.drop_capabilities)
    if (const Status done = drop_capabilities(); !done) log.say(Severity::kWarning, done.error());
  if (config.service.seccomp)
    if (const Status done = confine_system_calls(); !done)
      log.say(Severity::kWarning, done.error());
}

std::string hooks_in_use(const HookPlan& plan) {
  std::string text;
  for (const HookRow& row : hook_table())
    text.append(text.empty() ? "" : " ")
        .append(row.name)
        .append("=")
        .append(plan.current_name(row.hook));
  return text;
}

LiveOptions live_options(const AgentConfig& config, Agent& agent, const AgentLog& log,
                         const Service& service) {
  LiveOptions options;
  options.tracer.hooks = config.capture.hooks;
  options.tracer.btf_path = config.capture.btf;
  options.tracer.ring_bytes = config.capture.ring_bytes;
  options.roots = config.capture.roots;
  options.settle = config.capture.settle;
  options.kmsg_path = config.capture.kernel_log;
  options.show_secrets = !config.redact.secrets;
  options.partner = &agent;
  options.complete = [&agent](Incident& incident) { agent.complete(incident); };
  options.on_trouble = [&log](std::string_view text) { log.say(Severity::kWarning, text); };
  options.on_ready = [&](const HookPlan& plan) {
    confine(config, log);
    agent.start();
    const std::string hooks = hooks_in_use(plan);
    log.say(Severity::kInfo, "watching: " + hooks);
    service.ready("watching: " + hooks);
  };
  return options;
}

Status run(const AgentCommand& command) {
  const AgentLog log(STDERR_FILENO, Service::logs_to_journal());
  TRY(auto configured, read_config(command.config));
  if (command.check_config) return {};
  const AgentConfig config = std::move(configured.config);
  TRY(auto signals, catch_agent_signals());
  settle_in(config, log);
  ::umask(S_IWGRP | S_IRWXO);
  TRY(auto store, open_store(config, log));
  AgentFigures figures;
  const Service service;
  Exporters exporters(std::move(configured.exporters), {.store = store,
                                                        .figures = figures,
                                                        .log = log,
                                                        .version = kVersion,
                                                        .state_folder = state_folder(config)});
  RecorderPart recorder(configured.recorder, config.capture.roots, log);
  Agent agent(config, std::move(signals),
              {.store = store,
               .log = log,
               .service = service,
               .figures = figures,
               .parts = {&recorder, &exporters},
               .read_config = [&command]() -> Result<ConfigFile> {
                 TRY(auto again, read_config(command.config));
                 return std::move(again.file);
               }});
  agent.look_back();
  Status ended = trace_live(live_options(config, agent, log, service),
                            [&agent](const Incident& seen) { return agent.accept(seen); });
  agent.finish();
  return ended;
}

}  // namespace
}  // namespace oomwitness

int main(int argc, char** argv) {
  using namespace oomwitness;
  keep_memory_small();
  forget_environment();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error to report
  std::signal(SIGXFSZ, SIG_IGN);  // so is a file that may not grow
  const auto command =
      parse_agent(std::span<const char* const>(argv, static_cast<std::size_t>(argc)));
  if (const auto* early = std::get_if<EarlyExit>(&command)) {
    if (!write_all(STDOUT_FILENO, early->out) || !write_all(STDERR_FILENO, early->err)) return 1;
    return early->code;
  }
  if (const Status status = run(std::get<AgentCommand>(command)); !status) {
    print_error(status.error());
    return 1;
  }
  return 0;
}
