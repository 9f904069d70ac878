// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/log_feed.h"

#include <algorithm>

#include "kernlog/anchors.h"
#include "kernlog/container.h"
#include "kernlog/prefilter.h"

namespace oomwitness {
namespace {

constexpr auto kNone = std::string_view::npos;

// Lines before an anchor's that are always read: a head may have been wrapped.
constexpr int kLinesBefore = 3;
// Of these, further up, one must look like a part of a report for the rest to be read.
constexpr int kLinesProbed = 16;
constexpr std::size_t kLongestFieldName = 64;

// Lines behind an anchor's that are always read, whatever they look like: it may have been wrapped.
constexpr std::size_t kLinesAfter = 16;
constexpr std::size_t kSearchedAtOnce = 16UL * 1024;
// A report that has its outcome may be added to within this many bytes of its last line, one that
// has not, its table of tasks being the largest part, within these.
constexpr std::size_t kMostSettledBytes = 64UL * 1024;
constexpr std::size_t kMostOpenBytes = std::size_t{4} << 20U;

std::size_t after_last(std::string_view text, char c, std::size_t before) {
  if (before == 0) return 0;
  const std::size_t at = text.rfind(c, before - 1);
  return at == kNone ? 0 : at + 1;
}

// "[  123]     0   123      759 ...": a row of the table of tasks.
bool has_table_row(std::string_view line) {
  for (std::size_t at = line.find('['); at != kNone; at = line.find('[', at + 1)) {
    const std::size_t digits = line.find_first_not_of(' ', at + 1);
    const std::size_t end = line.find_first_not_of("0123456789", digits);
    if (digits == kNone || end == kNone || end == digits) continue;
    if (!line.substr(end).starts_with("] ")) continue;
    const std::size_t uid = line.find_first_not_of(' ', end + 1);
    if (uid != kNone && line[uid] >= '0' && line[uid] <= '9') return true;
  }
  return false;
}

bool looks_like_report(std::string_view line) {
  return line.find("kB") != kNone || line.find("Memory cgroup") != kNone || has_table_row(line);
}

// "MESSAGE=", "    _COMM=": a field of journalctl -o export or -o verbose.
bool is_journal_field(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::size_t end = line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
  return end != kNone && end > 0 && line[end] == '=';
}

// Where the entry begins whose field stands at `line`; `from` when that is before it, `line` where
// it is none.
std::size_t entry_start(std::string_view text, std::size_t from, std::size_t line) {
  if (!is_journal_field(text.substr(line, kLongestFieldName))) return line;
  const std::size_t oldest = std::max(from, line - std::min(line, kAnchorContextBytes));
  for (std::size_t end = line; end > oldest;) {
    const std::size_t start = std::max(oldest, after_last(text, '\n', end - 1));
    if (JournalFields::begins_entry(text.substr(start, end - 1 - start))) return start;
    end = start;
  }
  return oldest == from ? from : line;
}

}  // namespace

void LogFeed::take(std::string_view text) {
  const bool last = text.size() == kept_;
  for (;;) {
    bool more = false;
    if (fed_ < feed_to_ || in_cut_line_) {
      more = feed_line(text, last);
    } else if (reader_.idle()) {
      more = find_next(text, last);
    } else {
      more = feed_open(text, last);
    }
    if (!more) break;
  }
  const std::size_t from = wanted_from(text);
  if (from > fed_) {
    fed_ = from;
    left_out_ = true;
  }
  kept_ = text.size() - from;
  fed_ -= from;
  searched_ = std::max(searched_, from) - from;
  anchors_known_to_ = std::max(anchors_known_to_, from) - from;
  next_anchor_ = next_anchor_ == kNone || next_anchor_ < from ? kNone : next_anchor_ - from;
  feed_to_ = std::max(feed_to_, from) - from;
}

void LogFeed::gap() {
  reader_.skipped();
  begin_text();
}

void LogFeed::next_file() {
  if (reader_.idle()) reader_.skipped();
  begin_text();
}

void LogFeed::begin_text() {
  kept_ = fed_ = searched_ = feed_to_ = anchors_known_to_ = 0;
  next_anchor_ = kNone;
  left_out_ = begins_cut_ = in_cut_line_ = false;
}

// Gives the reader the line at fed_; false: it is not whole yet.
bool LogFeed::feed_line(std::string_view text, bool last) {
  const std::size_t newline = text.find('\n', fed_);
  if (in_cut_line_) {
    in_cut_line_ = newline == kNone;
    fed_ = in_cut_line_ ? text.size() : newline + 1;
    return !in_cut_line_;
  }
  const std::size_t end = std::min(newline, text.size());
  const std::size_t begin = fed_;
  if (end - fed_ > kLongestLine) {
    lines_cut_ += begins_cut_ ? 0 : 1;
    reader_.line(text.substr(fed_, kLongestLine));
    fed_ += kLongestLine;
    in_cut_line_ = true;
  } else if (newline == kNone && (!last || fed_ == text.size())) {
    return false;
  } else {
    reader_.line(text.substr(fed_, end - fed_));
    fed_ = std::min(end + 1, text.size());
  }
  begins_cut_ = false;
  searched_ = std::max(searched_, fed_);
  const bool anchored = has_anchor(text, begin, fed_);
  open_lines_ = anchored ? 0 : open_lines_ + 1;
  open_bytes_ = anchored ? 0 : open_bytes_ + fed_ - begin;
  return true;
}

// Whether an anchor is in this line of the text. One search serves all lines up to the next anchor.
bool LogFeed::has_anchor(std::string_view text, std::size_t begin, std::size_t end) {
  if (end > anchors_known_to_) {
    const std::size_t limit = std::min(text.size(), std::max(end, begin + kSearchedAtOnce));
    next_anchor_ = find_anchor(text.substr(0, limit), begin);
    const std::size_t seen = limit + 1 - std::min(limit + 1, longest_anchor());
    anchors_known_to_ = next_anchor_ == kNone ? std::max(end, seen) : next_anchor_ + 1;
  }
  return next_anchor_ != kNone && next_anchor_ >= begin && next_anchor_ < end;
}

// A report is open. Its lines follow on each other, with some of others between; once it has its
// outcome, only lines with an anchor add to it.
bool LogFeed::feed_open(std::string_view text, bool last) {
  if (open_bytes_ > kMostOpenBytes) return give_up();
  if (open_lines_ < kLinesAfter || !reader_.settled()) return feed_line(text, last);
  const std::size_t limit = fed_ + kMostSettledBytes - std::min(open_bytes_, kMostSettledBytes);
  const std::size_t anchor = find_anchor(text.substr(0, limit), fed_);
  if (anchor != kNone) {
    const std::size_t line = std::max(fed_, after_last(text, '\n', anchor));
    fed_ = entry_start(text, fed_, line);
    feed_to_ = anchor + 1;
    return true;
  }
  if (limit <= text.size()) return give_up();
  const std::size_t line = std::max(fed_, after_last(text, '\n', text.size()));
  open_bytes_ += line - fed_;
  fed_ = line;
  return false;
}

// Nothing more of it has come for long.
bool LogFeed::give_up() {
  reader_.skipped();
  open_bytes_ = open_lines_ = 0;
  return true;
}

// Looks for the next line that matters; false: there is none in this text.
bool LogFeed::find_next(std::string_view text, bool last) {
  searched_ = std::max(searched_, fed_);
  const std::size_t anchor = find_anchor(text, searched_);
  if (anchor == kNone) {
    const std::size_t unseen = last ? 0 : longest_anchor() - 1;
    searched_ = std::max(searched_, text.size() - std::min(text.size(), unseen));
    return false;
  }
  const std::size_t line = line_start(text, anchor);
  const std::size_t from = context_start(text, line);
  if (from > fed_ || left_out_) {
    reader_.skipped();
    fed_ = from;
    left_out_ = false;
  }
  searched_ = anchor;
  feed_to_ = anchor + 1;
  return true;
}

// Where the line of `at` begins, as far as it is there. A crash leaves zeros in a log, and no
// newline between them and what is written next.
std::size_t LogFeed::line_start(std::string_view text, std::size_t at) {
  const std::size_t first = std::max(fed_, at - std::min(at, kLongestLine / 2));
  const std::string_view before = text.substr(first, at - first);
  if (const std::size_t newline = before.rfind('\n'); newline != kNone) return first + newline + 1;
  if (first == fed_ && !left_out_) return first;
  if (const std::size_t zero = before.rfind('\0'); zero != kNone) return first + zero + 1;
  ++lines_cut_;
  begins_cut_ = true;
  return first;
}

std::size_t LogFeed::context_start(std::string_view text, std::size_t line) const {
  if (line == 0 || text[line - 1] != '\n') return line;
  if (const std::size_t entry = entry_start(text, fed_, line); entry != line) return entry;
  std::size_t start = line;
  std::size_t nearest = line;
  for (int i = 1; i <= kLinesProbed && start > fed_; ++i) {
    const std::size_t before = std::max(fed_, after_last(text, '\n', start - 1));
    const bool whole = before > fed_ || !left_out_;
    if (!whole) break;
    if (i <= kLinesBefore) nearest = before;
    if (looks_like_report(text.substr(before, start - before))) {
      const std::size_t far = std::max(fed_, line - std::min(line, kAnchorContextBytes));
      if (far == fed_ && !left_out_) return far;
      return std::min(text.find('\n', far) + 1, line);
    }
    start = before;
  }
  return nearest;
}

// Until the next text: the line that is not whole, and the context of what may come.
std::size_t LogFeed::wanted_from(std::string_view text) const {
  if (!left_out_ && (fed_ < feed_to_ || !reader_.idle())) return fed_;
  const std::size_t line = after_last(text, '\n', text.size());
  const std::size_t oldest = text.size() - std::min(text.size(), kLongestLine);
  const std::size_t start = std::max(line, oldest);
  return std::max(fed_, start - std::min(start, kAnchorContextBytes));
}

}  // namespace oomwitness
