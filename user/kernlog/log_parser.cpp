// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/log_parser.h"

#include <type_traits>
#include <utility>
#include <variant>

#include "kernlog/line.h"

namespace oomwitness {

namespace {

template <typename Seen, typename... Kinds>
constexpr bool kIsOneOf = (std::is_same_v<Seen, Kinds> || ...);

// What tells of a kill even when nothing before it did.
template <typename Seen>
constexpr bool kBeginsReport = kIsOneOf<Seen, HeaderLine, SummaryLine, ChoiceLine, TaskInLine,
                                        KillLine, GroupLine, NoKillableLine, PanicLine>;

// What may belong to a kill that a later line tells of.
template <typename Seen>
constexpr bool kMayBelong = kIsOneOf<Seen, UsageLine, StatsOfLine, TableHeadLine, TableRowLine>;

// The reaper takes up to 2 s to begin and 1 s to give up; a report on a slow console takes long.
constexpr std::uint64_t kSettledForNs = 10'000'000'000;
constexpr std::uint64_t kSilentForNs = 120'000'000'000;
constexpr std::size_t kUnrelatedToSettled = 64;
constexpr std::size_t kUnrelatedToOpen = 4096;
constexpr std::size_t kUnrelatedToTentative = 64;

}  // namespace

template <typename Seen>
bool LogParser::on(const LineTime& at, const Seen& seen) {
  if (report_.add(at, seen)) return true;
  if constexpr (kBeginsReport<Seen>) {
    Opt<OpenReport::Told> first;
    // "Killed A" comes before "Tasks in /g": it seemed to be one more of the group before.
    if constexpr (std::is_same_v<Seen, GroupLine>) first = report_.release_last();
    flush();
    if (first) report_.adopt(*std::move(first));
    return report_.add(at, seen);
  } else if constexpr (kMayBelong<Seen>) {
    if (!report_.settled()) return false;
    flush();
    return report_.add(at, seen);
  }
  return false;
}

// Another task or CPU printed it, among the lines of the report.
bool LogParser::is_of_another(std::string_view caller, const Line& line) const {
  if (caller_.empty() || caller.empty() || caller == caller_ || !report_.begun()) return false;
  return !std::holds_alternative<ReapedLine>(line) && !std::holds_alternative<HeaderLine>(line) &&
         !std::holds_alternative<KillLine>(line) && !std::holds_alternative<SummaryLine>(line);
}

void LogParser::part(const LineTime& at, std::string_view text, std::string_view caller) {
  const bool was_begun = report_.begun();
  const bool same_caller = caller_.empty() || caller.empty() || caller == caller_ || !was_begun;
  bool taken = same_caller && report_.add_statistic(at, text);
  if (!taken) {
    // From the kinds there are many of to those there are few of.
    auto line = classify_beginning(text);
    if (!line && report_.in_trace()) line = classify_frame(text);
    if (!line && same_caller) taken = report_.add_text(at, text);
    if (!line && !taken) line = classify_rest(text);
    if (line && !is_of_another(caller, *line)) {
      taken = std::visit([&](const auto& seen) { return on(at, seen); }, *line);
    }
  }
  if (!taken) {
    report_.note_machine(text);
    return unrelated(at);
  }
  if (!was_begun && report_.begun()) caller_ = caller;
  unrelated_ = 0;
  last_ = at;
}

// A record of the kernel's may hold newlines, and so may a comm in it: what makes sense as a whole
// is not taken apart.
void LogParser::message(const LineTime& at, std::string_view text, std::string_view caller) {
  std::size_t newline = text.find('\n');
  if (newline == std::string_view::npos || classify(text)) return part(at, text, caller);
  while (!text.empty()) {
    part(at, text.substr(0, newline), caller);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    newline = text.find('\n');
  }
}

void LogParser::unrelated(const LineTime& at) {
  ++unrelated_;
  if (report_.begun()) {
    const bool settled = report_.settled();
    const bool late = last_.at_ns != 0 && at.at_ns > last_.at_ns &&
                      at.at_ns - last_.at_ns > (settled ? kSettledForNs : kSilentForNs);
    if (late || unrelated_ > (settled ? kUnrelatedToSettled : kUnrelatedToOpen)) flush();
  } else if (unrelated_ > kUnrelatedToTentative) {
    report_.clear();
    unrelated_ = 0;
  }
}

std::vector<LogReport> LogParser::take() {
  return std::exchange(done_, {});
}

void LogParser::flush() {
  if (report_.begun()) {
    done_.push_back(report_.finish());
  } else {
    report_.clear();
  }
  caller_.clear();
  unrelated_ = 0;
  last_ = {};
}

}  // namespace oomwitness
