// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/log_parser.h"

#include <type_traits>
#include <utility>
#include <variant>

#include "kernlog/line.h"
#include "kernlog/open_report.h"

namespace oomwitness {

namespace {

template <typename Seen, typename... Kinds>
constexpr bool kIsOneOf = (std::is_same_v<Seen, Kinds> || ...);

// What tells of a kill even when nothing before it did.
template <typename Seen>
constexpr bool kBeginsReport =
    kIsOneOf<Seen, HeaderLine, SummaryLine, KillLine, GroupLine, NoKillableLine, PanicLine>;

}  // namespace

LogParser::LogParser() = default;
LogParser::LogParser(LogParser&&) noexcept = default;
LogParser& LogParser::operator=(LogParser&&) noexcept = default;
LogParser::~LogParser() = default;

template <typename Seen>
void LogParser::on(std::uint64_t at_ns, const Seen& seen) {
  if (open_ && open_->add(at_ns, seen)) return;
  if constexpr (kBeginsReport<Seen>) {
    auto next = std::make_unique<OpenReport>();
    if constexpr (std::is_same_v<Seen, GroupLine>) {
      // "Killed A" comes before "Tasks in /g": it seemed to be one more of the group before.
      if (auto first = open_ ? open_->release_last() : std::nullopt) next->adopt(*std::move(first));
    }
    flush();
    open_ = std::move(next);
    open_->add(at_ns, seen);
  }
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): on() uses this
void LogParser::line(std::uint64_t at_ns, std::string_view text) {
  const auto line = classify(text);
  if (!line) return;
  std::visit([&](const auto& seen) { on(at_ns, seen); }, *line);
}

std::vector<LogReport> LogParser::take() {
  return std::exchange(done_, {});
}

bool LogParser::settled() const {
  return open_ && open_->settled();
}

void LogParser::flush() {
  if (!open_) return;
  done_.push_back(std::move(*open_).finish());
  open_.reset();
}

}  // namespace oomwitness
