// SPDX-License-Identifier: BSD-2-Clause
#include "capture/hook_table.h"

#include <array>

namespace oomwitness {
namespace {

using Names = std::string_view;

constexpr std::array<Names, 1> kScanFentry{"scan_start_fentry"};
constexpr std::array<Names, 1> kScanKprobe{"scan_start_kprobe"};
constexpr std::array kScanWays{Way{"fentry", kScanFentry}, Way{"kprobe", kScanKprobe}};

constexpr std::array<Names, 2> kBadnessPart{"candidate_entry_part_kprobe",
                                            "candidate_part_kretprobe"};
constexpr std::array<Names, 1> kBadnessFexit{"candidate_fexit"};
constexpr std::array<Names, 2> kBadnessKretprobe{"candidate_entry_kprobe", "candidate_kretprobe"};
constexpr std::array<Names, 1> kEvaluateFentry{"candidate_evaluate_fentry"};
constexpr std::array<Names, 1> kEvaluateKprobe{"candidate_evaluate_kprobe"};
constexpr std::array kCandidateWays{
    Way{"fexit", kBadnessFexit}, Way{"kretprobe", kBadnessKretprobe},
    Way{"kretprobe_part", kBadnessPart}, Way{"evaluate_fentry", kEvaluateFentry},
    Way{"evaluate_kprobe", kEvaluateKprobe}};

constexpr std::array<Names, 1> kDecisionFentry{"decision_fentry"};
constexpr std::array<Names, 1> kDecisionKprobe{"decision_kprobe"};
constexpr std::array kDecisionWays{Way{"fentry", kDecisionFentry}, Way{"kprobe", kDecisionKprobe}};

constexpr std::array<Names, 1> kKillFentry{"victim_kill_fentry"};
constexpr std::array<Names, 1> kKillKprobe{"victim_kill_kprobe"};
constexpr std::array kKillWays{Way{"fentry", kKillFentry}, Way{"kprobe", kKillKprobe}};

constexpr std::array<Names, 1> kMarkTpBtf{"mark_victim_tp_btf"};
constexpr std::array<Names, 1> kMarkRawTp{"mark_victim_raw_tp"};
constexpr std::array<Names, 1> kMarkTracepoint{"mark_victim_tracepoint"};
constexpr std::array kMarkWays{Way{"tp_btf", kMarkTpBtf}, Way{"raw_tp", kMarkRawTp},
                               Way{"tracepoint", kMarkTracepoint}};

constexpr std::array<Names, 1> kDeliverTracepoint{"deliver_tracepoint"};
constexpr std::array<Names, 1> kDeliverTpBtf{"deliver_tp_btf"};
constexpr std::array<Names, 1> kDeliverRawTp{"deliver_raw_tp"};
constexpr std::array kDeliverWays{Way{"tracepoint", kDeliverTracepoint},
                                  Way{"tp_btf", kDeliverTpBtf}, Way{"raw_tp", kDeliverRawTp}};

constexpr std::array<Names, 1> kExitTracepoint{"exit_tracepoint"};
constexpr std::array<Names, 1> kExitTpBtf{"exit_tp_btf"};
constexpr std::array<Names, 1> kExitRawTp{"exit_raw_tp"};
constexpr std::array kExitWays{Way{"tracepoint", kExitTracepoint}, Way{"tp_btf", kExitTpBtf},
                               Way{"raw_tp", kExitRawTp}};

constexpr std::array<Names, 4> kReaperTpBtf{"reaper_wake_tp_btf", "reaper_start_tp_btf",
                                            "reaper_finish_tp_btf", "reaper_skip_tp_btf"};
constexpr std::array<Names, 4> kReaperRawTp{"reaper_wake_raw_tp", "reaper_start_raw_tp",
                                            "reaper_finish_raw_tp", "reaper_skip_raw_tp"};
constexpr std::array<Names, 4> kReaperTracepoint{
    "reaper_wake_tracepoint", "reaper_start_tracepoint", "reaper_finish_tracepoint",
    "reaper_skip_tracepoint"};
constexpr std::array kReaperWays{Way{"tp_btf", kReaperTpBtf}, Way{"raw_tp", kReaperRawTp},
                                 Way{"tracepoint", kReaperTracepoint}};

constexpr std::array kTable{
    HookRow{Hook::kDecision, "oom_kill_process",
            "gfp, order, constraint, whose limit, chosen and its points, the invoker's stacks",
            kDecisionWays},
    HookRow{Hook::kVictimKill, "__oom_kill_process",
            "the victim before its SIGKILL; group members and their roles", kKillWays},
    HookRow{Hook::kScan, "out_of_memory", "where the candidates' scan begins", kScanWays},
    HookRow{Hook::kCandidates, "oom_badness", "the candidates and their exact points",
            kCandidateWays},
    HookRow{Hook::kMarkVictim, "mark_victim", "each victim: who it was, its memory, its cgroup",
            kMarkWays},
    HookRow{Hook::kSignalDeliver, "signal_deliver",
            "the victim's argv from its own context; processes sharing its memory", kDeliverWays},
    HookRow{Hook::kProcessExit, "sched_process_exit", "when the memory came back", kExitWays},
    HookRow{Hook::kReaper, "reaper", "whether the reaper had to help", kReaperWays},
};

}  // namespace

std::span<const HookRow> hook_table() {
  return kTable;
}

const HookRow& hook_row(Hook hook) {
  for (const HookRow& row : kTable) {
    if (row.hook == hook) return row;
  }
  return kTable.front();
}

}  // namespace oomwitness
