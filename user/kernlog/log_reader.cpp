// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/log_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <string>
#include <utility>

#include "kernlog/bytes.h"
#include "kernlog/container.h"
#include "kernlog/log_parser.h"
#include "kernlog/mend.h"
#include "kernlog/prefilter.h"
#include "kernlog/prefix.h"
#include "kernlog/scan.h"
#include "kernlog/user_killers.h"

namespace oomwitness {

namespace {

constexpr std::size_t kMaxHosts = 64;
constexpr std::size_t kMaxLineBytes = 65536;
constexpr std::size_t kMaxConsoleBytes = 256;  // of a program's output before a kernel's stamp
// A stamp like the first that comes far behind another: the machine has booted between. Others go
// back, too, where a log is damaged.
constexpr std::uint64_t kBootBeginsNs = 10'000'000'000;
constexpr std::uint64_t kBackNs = 60'000'000'000;

// Where and when a line was logged, as a report has it.
LogReport stamp_of(const LineTime& time) {
  LogReport stamp;
  stamp.at_ns = stamp.began_ns = time.at_ns;
  if (!time.wall) return stamp;
  stamp.wall_ns = time.wall->civil_ns;
  stamp.wall_has_zone = time.wall->has_zone;
  stamp.wall_has_year = time.wall->has_year;
  return stamp;
}

// Android's killer inside the kernel, and oomd, which writes to /dev/kmsg.
bool is_killers_in_kernel_log(std::string_view text) {
  return text.starts_with("oomd kill: ") || text.starts_with("lowmemorykiller: ") ||
         text.starts_with("send sigkill to ");
}

bool looks_like_a_kill(std::string_view text) {
  return text.find("Killed process ") != std::string_view::npos ||
         text.find(" invoked oom-killer: ") != std::string_view::npos;
}

}  // namespace

class LogReader::Impl {
 public:
  explicit Impl(LogReaderOptions options) : options_(std::move(options)) {}

  void line(std::string_view raw);
  std::vector<LogReport> take();
  bool idle() const;
  bool settled() const;
  void skipped();
  void flush();
  std::uint64_t forged() const { return forged_; }

 private:
  struct Stream {
    std::string host;
    LogParser parser;
    std::uint64_t newest_ns = 0;  // since boot, of the parser's lines
    std::string boot;             // theirs, where the log tells
    UserKillers killers;
    std::uint64_t used = 0;
  };

  // The line that may still go on in the next.
  struct Pending {
    std::string text;
    std::string host;
    std::string caller;
    LineTime time;
    bool stamped = false;
    bool blank_end = false;
    bool record = false;
    bool escaped = false;
    bool hash = false;
  };

  void wrapped(const Wrapped& message);
  void message(const Prefix& prefix, std::string_view host);
  void of_user_space(const Prefix& prefix, std::string_view host);
  void bare(std::string_view text);
  void hold(const Prefix& prefix, std::string_view host);
  void release();
  // A report does not go on after a boot.
  void enter_boot(std::string_view host, std::string_view boot);
  void note_boot(Stream& stream, std::uint64_t at_ns);
  Stream& stream_of(std::string_view host);
  void collect(Stream& stream);
  void add(const Stream& stream, std::vector<LogReport>&& reports);
  void date(LogReport& report, const std::string& host) const;

  LogReaderOptions options_;
  std::deque<Stream> streams_;
  Stream* current_ = nullptr;
  std::uint64_t uses_ = 0;
  std::uint64_t forged_ = 0;
  bool any_stamped_ = false;
  bool held_ = false;
  bool hash_ = false;  // the line at hand holds a '#'
  Pending pending_;
  Mender mender_;
  PrefixParser prefixes_;
  Wrapped json_;
  JournalFields journal_;
  std::string clean_;
  std::vector<LogReport> done_;
};

void LogReader::Impl::line(std::string_view raw) {
  if (raw.size() > kMaxLineBytes) raw = raw.substr(0, kMaxLineBytes);
  if (raw.ends_with('\r')) raw.remove_suffix(1);
  const Bytes bytes = look_at(raw);
  hash_ = bytes.hash;
  if (bytes.dirty) {
    clean(raw, clean_);
    raw = clean_;
  }
  switch (journal_.line(raw)) {
    case JournalFields::Seen::kEntry: return wrapped(journal_.entry());
    case JournalFields::Seen::kTaken: return;
    case JournalFields::Seen::kOther: break;
  }
  const std::string_view body = trimmed_left(raw);
  if (body.starts_with('{') && parse_json_line(body, json_)) return wrapped(json_);
  const Prefix prefix = prefixes_.parse(raw);
  if (prefix.stamped) return message(prefix, prefix.host);
  const std::size_t console = find_uptime(prefix.text.substr(0, kMaxConsoleBytes));
  if (console != std::string_view::npos) {
    const Prefix behind = parse_prefix(prefix.text.substr(console));
    return message(behind, behind.host);
  }
  bare(prefix.text);
}

void LogReader::Impl::wrapped(const Wrapped& message_fields) {
  if (message_fields.user_space) {
    release();
    const Prefix prefix{.text = message_fields.text,
                        .host = {},
                        .caller = {},
                        .program = message_fields.program,
                        .wall = message_fields.wall,
                        .uptime_ns = message_fields.uptime_ns};
    return of_user_space(prefix, message_fields.host);
  }
  // A program's output may hold lines that have prefixes of their own.
  Prefix prefix{.text = message_fields.text};
  if (!message_fields.kernel) prefix = parse_prefix(message_fields.text);
  if (!prefix.wall) prefix.wall = message_fields.wall;
  if (prefix.uptime_ns == 0) prefix.uptime_ns = message_fields.uptime_ns;
  prefix.stamped = true;
  prefix.record = message_fields.record;
  const std::string_view host = prefix.host.empty() ? message_fields.host : prefix.host;
  if (!message_fields.boot.empty()) enter_boot(host, message_fields.boot);
  message(prefix, host);
}

void LogReader::Impl::message(const Prefix& prefix, std::string_view host) {
  release();
  if (!prefix.user_space) return hold(prefix, host);
  of_user_space(prefix, host);
}

// Some programs kill for want of memory, too. What has no program's name was written into the
// kernel's log.
void LogReader::Impl::of_user_space(const Prefix& prefix, std::string_view host) {
  if (looks_like_a_kill(prefix.text)) ++forged_;
  const std::string_view program = prefix.program.empty() ? "kernel" : prefix.program;
  const LogReport stamp = stamp_of({.at_ns = prefix.uptime_ns, .wall = prefix.wall});
  if (is_user_killer(program)) {
    Stream& stream = stream_of(host);
    stream.killers.line(stamp, program, prefix.text);
    return collect(stream);
  }
  for (Stream& stream : streams_) {
    if (stream.killers.idle()) continue;
    stream.killers.pass(stamp);
    collect(stream);
  }
}

// A line without any prefix: the rest of the one before, or one of its own.
void LogReader::Impl::bare(std::string_view text) {
  if (held_) {
    const TaskTable* table = current_ != nullptr ? &current_->parser.report().table() : nullptr;
    const Mender::Place place{
        .stamped = pending_.stamped, .raw_blank_end = pending_.blank_end, .table = table};
    if (mender_.join(pending_.text, text, place)) {
      pending_.blank_end = text.ends_with(' ') || text.ends_with('\t');
      pending_.hash = pending_.hash || hash_;
      return;
    }
  }
  release();
  Prefix prefix{.text = text};
  // It was written with the line before, by the same host.
  if (any_stamped_) {
    prefix.wall = pending_.time.wall;
    prefix.uptime_ns = pending_.time.at_ns;
  }
  const std::string host = any_stamped_ ? pending_.host : std::string();
  hold(prefix, host);
}

void LogReader::Impl::hold(const Prefix& prefix, std::string_view host) {
  std::string_view text = prefix.text;
  pending_.blank_end = text.ends_with(' ') || text.ends_with('\t');
  if (!prefix.record) text = trimmed(text);
  pending_.text = text;
  if (pending_.host != host) pending_.host = host;
  if (pending_.caller != prefix.caller) pending_.caller = prefix.caller;
  pending_.time = {.at_ns = prefix.uptime_ns, .wall = prefix.wall};
  pending_.stamped = prefix.stamped;
  pending_.record = prefix.record;
  pending_.escaped = prefix.escaped;
  pending_.hash = hash_;
  any_stamped_ = any_stamped_ || prefix.stamped;
  held_ = true;
  // The table that a next line is measured by is that of this host.
  current_ = &stream_of(pending_.host);
}

void LogReader::Impl::release() {
  if (!held_) return;
  held_ = false;
  if (pending_.escaped) {
    unescape_kmsg(pending_.text);
  } else if (pending_.hash && !pending_.record) {
    unfold(pending_.text);
  }
  Stream& stream = stream_of(pending_.host);
  note_boot(stream, pending_.time.at_ns);
  stream.parser.message(pending_.time, pending_.text, pending_.caller);
  if (is_killers_in_kernel_log(pending_.text)) {
    stream.killers.line(stamp_of(pending_.time), "kernel", pending_.text);
  } else if (!stream.killers.idle()) {
    stream.killers.pass(stamp_of(pending_.time));
  }
  collect(stream);
}

void LogReader::Impl::enter_boot(std::string_view host, std::string_view boot) {
  Stream& stream = stream_of(host);
  if (stream.boot == boot) return;
  const bool first = stream.boot.empty();
  stream.boot = boot;
  if (first) return;
  release();
  stream.parser.flush();
  collect(stream);
}

void LogReader::Impl::note_boot(Stream& stream, std::uint64_t at_ns) {
  if (at_ns == 0) return;
  if (at_ns < kBootBeginsNs && stream.newest_ns > at_ns + kBackNs) {
    stream.parser.flush();
    collect(stream);
  }
  stream.newest_ns = at_ns;
}

LogReader::Impl::Stream& LogReader::Impl::stream_of(std::string_view host) {
  ++uses_;
  if (current_ != nullptr && current_->host == host) {
    current_->used = uses_;
    return *current_;
  }
  for (Stream& stream : streams_) {
    if (stream.host != host) continue;
    stream.used = uses_;
    return stream;
  }
  Stream* into = nullptr;
  if (streams_.size() < kMaxHosts) {
    into = &streams_.emplace_back();
  } else {
    into = &*std::min_element(streams_.begin(), streams_.end(),
                              [](const Stream& a, const Stream& b) { return a.used < b.used; });
    into->parser.flush();
    into->killers.flush();
    collect(*into);
  }
  into->host = host;
  into->used = uses_;
  return *into;
}

void LogReader::Impl::collect(Stream& stream) {
  if (stream.parser.has_complete()) add(stream, stream.parser.take());
  if (stream.killers.has_complete()) add(stream, stream.killers.take());
}

void LogReader::Impl::add(const Stream& stream, std::vector<LogReport>&& reports) {
  for (LogReport& report : reports) {
    date(report, stream.host);
    done_.push_back(std::move(report));
  }
}

// The wall clock of the report as far as the log and the caller know it.
void LogReader::Impl::date(LogReport& report, const std::string& host) const {
  report.host.name = host;
  if (!report.wall_ns) return;
  WallStamp stamp{.civil_ns = *report.wall_ns,
                  .has_zone = report.wall_has_zone,
                  .has_year = report.wall_has_year};
  if (stamp.has_year) report.id_ns = stamp.civil_ns;
  std::string guessed;
  if (!stamp.has_year) {
    if (options_.newest_unix_ns != 0) stamp = with_year(stamp, options_.newest_unix_ns);
    guessed = "the log's stamps have no year: the latest that fits";
  }
  if (!stamp.has_year) {
    report.wall_ns.reset();
    report.missing.emplace("time", "the log's stamps have no year");
    return;
  }
  if (!stamp.has_zone) {
    constexpr std::int64_t kNsPerSecond = 1'000'000'000;
    const std::int64_t fraction = stamp.civil_ns % kNsPerSecond;
    if (options_.to_utc) {
      stamp.civil_ns = options_.to_utc(stamp.civil_ns / kNsPerSecond) * kNsPerSecond + fraction;
    }
    guessed += guessed.empty() ? "the log's stamps have no zone: " : ", and no zone: ";
    guessed += options_.to_utc ? "taken as this machine's" : "taken as UTC";
  }
  report.wall_ns = stamp.civil_ns;
  if (!guessed.empty()) report.missing.emplace("time", guessed);
}

std::vector<LogReport> LogReader::Impl::take() {
  return std::exchange(done_, {});
}

bool LogReader::Impl::idle() const {
  if (journal_.wanted()) return false;
  const bool none_open = std::all_of(streams_.begin(), streams_.end(), [](const Stream& stream) {
    return stream.parser.idle() && stream.killers.idle();
  });
  if (!none_open || !held_) return none_open;
  // What is held may tell of a kill, or begin to.
  const std::string_view text = pending_.text;
  return !text.ends_with(" invoked") && find_anchor(text, 0) == std::string_view::npos;
}

bool LogReader::Impl::settled() const {
  return !journal_.wanted() &&
         std::all_of(streams_.begin(), streams_.end(), [](const Stream& stream) {
           return stream.parser.idle() || stream.parser.settled();
         });
}

void LogReader::Impl::skipped() {
  if (journal_.flush()) wrapped(journal_.entry());
  release();
  for (Stream& stream : streams_) {
    stream.parser.flush();
    collect(stream);
  }
}

void LogReader::Impl::flush() {
  skipped();
  for (Stream& stream : streams_) {
    stream.killers.flush();
    collect(stream);
  }
  any_stamped_ = false;
  pending_ = {};
}

LogReader::LogReader(LogReaderOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;
LogReader::~LogReader() = default;

void LogReader::line(std::string_view raw) {
  impl_->line(raw);
}
std::vector<LogReport> LogReader::take() {
  return impl_->take();
}
bool LogReader::idle() const {
  return impl_->idle();
}
bool LogReader::settled() const {
  return impl_->settled();
}
void LogReader::skipped() {
  impl_->skipped();
}
void LogReader::flush() {
  impl_->flush();
}
std::uint64_t LogReader::forged() const {
  return impl_->forged();
}

}  // namespace oomwitness
