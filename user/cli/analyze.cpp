// SPDX-License-Identifier: BSD-2-Clause
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/log/dmesg_stream.h"
#include "capture/log/journal.h"
#include "capture/log/open_log.h"
#include "capture/log/rotation.h"
#include "cli/commands.h"
#include "cli/log_options.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "incident/json.h"
#include "pipeline/host.h"
#include "pipeline/log_analysis.h"
#include "pipeline/log_set.h"
#include "sink/report.h"
#include "sink/summary.h"
#include "support/end_signals.h"
#include "support/owned_fd.h"
#include "support/text.h"

namespace oomwitness {
namespace {

constexpr int kFound = 0;
constexpr int kNotRead = 1;
constexpr int kBadUsage = 2;
constexpr int kNoneFound = 3;
constexpr std::size_t kBatch = 64UL << 10U;

void note(const std::string& text) {
  [[maybe_unused]] const auto written = write_all(STDERR_FILENO, "note: " + text + "\n");
}

std::string counted(std::uint64_t n, std::string_view one, std::string_view many) {
  return thousands(n) + " " + std::string(n == 1 ? one : many);
}

// nullopt: not a regular file.
std::optional<std::uint64_t> size_of_file(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(found.st_size);
}

std::uint64_t size_on_disk(const std::vector<std::string>& files) {
  std::uint64_t total = 0;
  for (const std::string& file : files) total += size_of_file(file).value_or(0);
  return total;
}

LogRange range_of(const AnalyzeCommand& command) {
  return {.since_unix_ns = command.since_unix_ns, .until_unix_ns = command.until_unix_ns};
}

class Analyze {
 public:
  explicit Analyze(const AnalyzeCommand& command)
      : command_(command),
        summary_(wants_utf8()),
        progress_(STDERR_FILENO, size_on_disk(command.files)),
        analysis_(log_reader_options(), {.filter = command.filter, .count = command.count},
                  {.since = command.since_unix_ns, .until = command.until_unix_ns},
                  [this](const Incident& incident) { return write(incident); }) {}

  int run();

 private:
  std::string as_text(const Incident& incident);
  Status write(const Incident& incident);
  Status flush();
  Status read(Pieces& pieces);
  Status read_file(const std::string& path);
  void read_set(const LogSet& set);
  Status follow_set(const LogSet& set);
  Status read_dmesg();
  Status read_journal();
  Status read_sources();
  void keep(const Status& status);
  void say_losses();

  const AnalyzeCommand& command_;
  Summary summary_;
  Progress progress_;
  std::uint64_t bytes_before_ = 0;  // of the files already read
  bool failed_ = false;
  OwnedFd signals_;
  std::string unwritten_;
  std::size_t most_unwritten_ = 0;  // 0: each incident at once
  LogAnalysis analysis_;
};

std::string Analyze::as_text(const Incident& incident) {
  if (command_.json) return to_json(incident) + "\n";
  if (command_.summary) return summary_.add(incident);
  return render_report(incident, {.color = wants_color(STDOUT_FILENO), .utf8 = wants_utf8()}) +
         "\n";
}

Status Analyze::write(const Incident& incident) {
  unwritten_ += as_text(incident);
  return unwritten_.size() < most_unwritten_ ? Status() : flush();
}

Status Analyze::flush() {
  progress_.clear();
  Status written = write_all(STDOUT_FILENO, unwritten_);
  unwritten_.clear();
  return written;
}

void Analyze::keep(const Status& status) {
  if (status) return;
  progress_.clear();
  print_error(status.error());
  failed_ = true;
}

Status Analyze::read(Pieces& pieces) {
  if (command_.follow) return analysis_.follow(pieces);
  Status status = analysis_.read(
      pieces, [&] { progress_.show(bytes_before_ + pieces.consumed(), analysis_.found()); });
  bytes_before_ += pieces.consumed();
  return status;
}

Status Analyze::read_file(const std::string& path) {
  // What comes through a pipe may be long in coming, and who looks on wants to see it.
  const bool at_once = !size_of_file(path) || ::isatty(STDOUT_FILENO) == 1;
  most_unwritten_ = at_once ? 0 : kBatch;
  if (at_once) CHECK_OK(flush());
  TRY(const auto opened, open_log(path, range_of(command_)));
  return read(*opened.pieces);
}

void Analyze::read_set(const LogSet& set) {
  read_log_set(
      set, analysis_, [this](const std::string& path) { return read_file(path); },
      [this](const Status& status) { keep(status); });
}

// The older files of the set as they are, the youngest as it grows.
Status Analyze::follow_set(const LogSet& set) {
  for (std::size_t i = 0; i + 1 < set.size(); ++i) {
    TRY(const auto opened, open_log(set[i].path));
    CHECK_OK(analysis_.read(*opened.pieces, [] {}));
    analysis_.next_file();
  }
  TRY(const auto opened, follow_log(set.back().path, range_of(command_), signals_.get()));
  return analysis_.follow(*opened.pieces);
}

Status Analyze::read_dmesg() {
  const Host host = read_host("/proc");
  TRY(auto stream, DmesgStream::open("/dev/kmsg", {.host = host.name,
                                                   .unix_minus_monotonic_ns =
                                                       read_clock_offsets().unix_minus_monotonic_ns,
                                                   .follow = command_.follow,
                                                   .stop_fd = signals_.get()}));
  return read(*make_opened(std::move(stream)).pieces);
}

Status Analyze::read_journal() {
  TRY(auto stream, open_journal({.files = {},
                                 .folder = command_.journal_directory,
                                 .boot = command_.boot,
                                 .since_unix_ns = command_.since_unix_ns,
                                 .until_unix_ns = command_.until_unix_ns,
                                 .follow = command_.follow,
                                 .stop_fd = signals_.get()}));
  return read(*make_opened(std::move(stream)).pieces);
}

Status Analyze::read_sources() {
  if (command_.follow) {
    TRY(signals_, catch_end_signals());
  }
  if (command_.dmesg) return read_dmesg();
  if (command_.journal) return read_journal();
  const std::vector<LogSet> sets = sort_rotated(command_.files);
  if (command_.follow) return follow_set(sets.front());
  for (const LogSet& set : sets) read_set(set);
  return {};
}

void Analyze::say_losses() {
  if (const auto cut = analysis_.lines_cut(); cut > 0) {
    note(counted(cut, "line was", "lines were") + " longer than 64 KiB and cut");
  }
  if (const auto forged = analysis_.forged(); forged > 0) {
    note(counted(forged, "line looks", "lines look") +
         " like the kernel's but came from user space: left out");
  }
  if (const auto again = analysis_.told_again(); again > 0) {
    note(counted(again, "kill is", "kills are") + " told by more than one log: shown once");
  }
  if (const auto undated = analysis_.undated(); undated > 0) {
    note(counted(undated, "kill has", "kills have") +
         " no date in the log: left out by --since and --until");
  }
}

int Analyze::run() {
  keep(read_sources());
  if (!analysis_.done()) keep(analysis_.end_log());
  keep(flush());
  if (command_.summary) keep(write_all(STDOUT_FILENO, summary_.totals()));
  say_losses();
  if (failed_) return kNotRead;
  return analysis_.found() > 0 ? kFound : kNoneFound;
}

}  // namespace

int run_analyze(const AnalyzeCommand& command) {
  if (command.follow && !command.files.empty() && sort_rotated(command.files).size() > 1) {
    print_error({{},
                 "--follow takes one log: a file, or a file with its rotated ones before it",
                 "run one oomwitness for each"});
    return kBadUsage;
  }
  return Analyze(command).run();
}

}  // namespace oomwitness
