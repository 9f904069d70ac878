// SPDX-License-Identifier: BSD-2-Clause
// Which way each hook is tried next. Pure: the caller loads and attaches, and says what was
// refused.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/hook_table.h"
#include "support/result.h"

namespace oomwitness {

// What the running kernel is known to offer before anything is tried.
struct KernelFacts {
  // Without it fentry, fexit and tp_btf have nothing to attach to, whatever --btf says.
  bool kernel_btf = true;
  // GCC split oom_badness: the scan calls oom_badness.part.0 and a probe on the plain symbol
  // would attach and see nothing (Debian's 5.10). nullopt: only /proc/kallsyms could tell.
  std::optional<bool> badness_is_split = false;
};

struct Refusal {
  std::string_view way;
  std::string reason;
};

class HookPlan {
 public:
  // `forced`: "oom_kill_process=kprobe"; the way "none" turns a hook off.
  // Errors: an unknown hook or way, naming the ones there are.
  static Result<HookPlan> make(const KernelFacts& facts, const std::vector<std::string>& forced);

  // The way in turn for a hook; nullptr: none is left, or it was turned off.
  const Way* current(Hook hook) const;
  // "fentry", or "none".
  std::string_view current_name(Hook hook) const;
  // The chosen way sees the candidates only where the compiler left oom_badness whole.
  bool counts_on_whole_badness() const;
  bool turned_off(Hook hook) const;
  // The current way does not work here: on to the next one.
  void refuse(Hook hook, std::string reason);
  const std::vector<Refusal>& refusals(Hook hook) const;
  // What the kernel refuses to load as a kind ("fentry" and "fexit" are one) is not tried again.
  void refuse_kind(std::string_view way, const std::string& reason);
  // A hook the user forced to a way that was refused, if there is one.
  std::optional<Hook> broken_promise() const;
  // Which hook a program of the current ways belongs to.
  std::optional<Hook> owner(std::string_view program) const;
  // Hook name -> way name, for provenance and the ready line.
  std::map<std::string, std::string> summary() const;
  // "  fentry/oom_kill_process: load: Operation not permitted" lines, for error texts.
  std::string reasons() const;

 private:
  struct State {
    std::vector<const Way*> ways;
    std::size_t at = 0;
    bool forced = false;
    bool off = false;
    std::vector<Refusal> refusals;
  };
  std::map<Hook, State> states_;
};

}  // namespace oomwitness
