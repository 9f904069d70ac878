// SPDX-License-Identifier: BSD-2-Clause
#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <span>
#include <variant>

#include "cli/commands.h"
#include "cli/libexec.h"
#include "cli/options.h"
#include "cli/terminal.h"

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

int exit_early(const EarlyExit& early) {
  if (const Status written = write_all(STDOUT_FILENO, early.out); !written) {
    print_error(written.error());
    return 1;
  }
  if (!write_all(STDERR_FILENO, early.err)) return 1;
  return early.code;
}

}  // namespace
}  // namespace oomwitness

int main(int argc, char** argv) {
  using namespace oomwitness;
  keep_memory_small();
  // A reader that went away is an error to report, not a reason to die.
  const auto on_sigpipe = std::signal(SIGPIPE, SIG_IGN);
  const Command command =
      parse_command_line(std::span<const char* const>(argv, static_cast<std::size_t>(argc)));
  if (const auto* early = std::get_if<EarlyExit>(&command)) return exit_early(*early);
  if (const auto* trace = std::get_if<TraceCommand>(&command)) return run_trace(*trace);
  if (const auto* analyze = std::get_if<AnalyzeCommand>(&command)) return run_analyze(*analyze);
  if (const auto* explain = std::get_if<ExplainCommand>(&command)) return run_explain(*explain);
  if (const auto* report = std::get_if<ReportCommand>(&command)) return run_report(*report);
  if (const auto* libexec = std::get_if<LibexecCommand>(&command)) {
    print_error(become(libexec->program, libexec->arguments));
    return 1;
  }
  if (const auto* run = std::get_if<RunCommand>(&command)) return run_run(*run, on_sigpipe);
  if (const auto* fit = std::get_if<FitCommand>(&command)) return run_fit(*fit, on_sigpipe);
  return run_doctor(std::get<DoctorCommand>(command));
}
