// SPDX-License-Identifier: BSD-2-Clause
#include "capture/log/journal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>
#include <utility>

#include "capture/log/journal_api.h"
#include "capture/log/log_line.h"

namespace oomwitness {
namespace {

constexpr std::int64_t kNsPerUs = 1000;
// A report may have begun this long before the first moment asked for.
constexpr std::int64_t kReportNs = 10'000'000'000;
constexpr std::size_t kQueueBytes = 1U << 16U;

constexpr std::array<std::string_view, 5> kKillers = {
    "_SYSTEMD_UNIT=systemd-oomd.service", "_SYSTEMD_UNIT=earlyoom.service",
    "_SYSTEMD_UNIT=oomd.service", "_SYSTEMD_UNIT=nohang.service",
    "_SYSTEMD_UNIT=nohang-desktop.service"};

struct CloseJournal {
  void (*close)(sd_journal*) = nullptr;
  void operator()(sd_journal* journal) const { close(journal); }
};
using OwnedJournal = std::unique_ptr<sd_journal, CloseJournal>;

class Journal {
 public:
  Journal(JournalApi api, OwnedJournal handle) : api_(api), handle_(std::move(handle)) {}

  static Result<Journal> open(const JournalQuery& options);

  // Boot ids, oldest first.
  Result<std::vector<std::string>> boots();
  Status only_kills(bool kernel_only);
  Status only_boot(const std::string& boot);
  Status seek(std::optional<std::int64_t> unix_ns);
  Result<bool> next();
  // Empty: the entry has no such field. Valid until the next call.
  std::string_view field(const char* name);
  std::int64_t unix_ns();
  std::uint64_t monotonic_ns();
  // From the first call on, new entries wake who polls it.
  Result<int> fd();
  Status process();

 private:
  Status match(std::string_view text);
  Result<bool> has_entries();

  JournalApi api_;
  OwnedJournal handle_;
};

std::string what_is_opened(const JournalQuery& options) {
  if (!options.files.empty()) return "open the journal " + options.files.front();
  return options.folder.empty() ? "open the journal" : "open the journal in " + options.folder;
}

int open_handle(const JournalApi& api, const JournalQuery& options, sd_journal** raw) {
  if (!options.folder.empty()) return api.open_directory(raw, options.folder.c_str(), 0);
  if (options.files.empty()) return api.open(raw, kJournalLocalOnly | kJournalSystem);
  std::vector<const char*> paths;
  paths.reserve(options.files.size() + 1);
  for (const std::string& file : options.files) paths.push_back(file.c_str());
  paths.push_back(nullptr);
  return api.open_files(raw, paths.data(), 0);
}

Result<Journal> Journal::open(const JournalQuery& options) {
  TRY(const JournalApi api, load_journal_api());
  sd_journal* raw = nullptr;
  const int opened = open_handle(api, options, &raw);
  if (opened < 0) return fail(opened, what_is_opened(options));
  Journal journal(api, OwnedJournal(raw, {api.close}));
  // It opens none without a word when it may read none.
  if (!options.files.empty()) return journal;
  TRY(const bool any, journal.has_entries());
  if (!any) {
    return fail(
        what_is_opened(options) + ": there is none that can be read",
        "run as root or as a member of the group systemd-journal; `journalctl -k` shows the "
        "same");
  }
  return journal;
}

// Every entry is of a boot.
Result<bool> Journal::has_entries() {
  const int asked = api_.query_unique(handle_.get(), "_BOOT_ID");
  if (asked < 0) return fail(asked, "read the journal");
  const void* bytes = nullptr;
  std::size_t size = 0;
  return api_.enumerate_unique(handle_.get(), &bytes, &size) > 0;
}

Status Journal::match(std::string_view text) {
  const int added = api_.add_match(handle_.get(), text.data(), text.size());
  if (added < 0) return fail(added, "choose entries of the journal");
  return {};
}

// _TRANSPORT and _SYSTEMD_UNIT are the journal daemon's own words: nobody can forge them.
Status Journal::only_kills(bool kernel_only) {
  CHECK_OK(match("_TRANSPORT=kernel"));
  if (kernel_only) return {};
  api_.add_disjunction(handle_.get());
  for (const std::string_view killer : kKillers) CHECK_OK(match(killer));
  return {};
}

Result<std::vector<std::string>> Journal::boots() {
  constexpr std::string_view kPrefix = "_BOOT_ID=";
  const int asked = api_.query_unique(handle_.get(), "_BOOT_ID");
  if (asked < 0) return fail(asked, "list the boots of the journal");
  std::vector<std::string> ids;
  const void* bytes = nullptr;
  std::size_t size = 0;
  while (api_.enumerate_unique(handle_.get(), &bytes, &size) > 0) {
    ids.emplace_back(
        std::string_view(static_cast<const char*>(bytes), size).substr(kPrefix.size()));
  }
  std::vector<std::pair<std::int64_t, std::string>> begun;
  for (std::string& id : ids) {
    CHECK_OK(match(std::string(kPrefix) + id));
    api_.seek_head(handle_.get());
    TRY(const bool any, next());
    if (any) begun.emplace_back(unix_ns(), std::move(id));
    api_.flush_matches(handle_.get());
  }
  std::sort(begun.begin(), begun.end());
  std::vector<std::string> sorted;
  sorted.reserve(begun.size());
  for (auto& [time, id] : begun) sorted.push_back(std::move(id));
  return sorted;
}

// "-1"; nothing for what is an id, even one of digits alone.
std::optional<int> boots_back(const std::string& boot) {
  int back = 0;
  const char* end = boot.data() + boot.size();
  const auto [stop, error] = std::from_chars(boot.data(), end, back);
  if (error != std::errc{} || stop != end || back > 0) return std::nullopt;
  return back;
}

// Before only_kills(): looking for the boot drops what has been chosen.
Status Journal::only_boot(const std::string& boot) {
  TRY(const auto ids, boots());
  const auto back = boots_back(boot);
  const auto newest = static_cast<std::int64_t>(ids.size()) - 1;
  const bool known =
      back ? newest + *back >= 0 : std::find(ids.begin(), ids.end(), boot) != ids.end();
  if (!known) {
    return fail("the journal has no boot '" + boot + "'", "journalctl --list-boots shows them");
  }
  const std::string& id = back ? ids[static_cast<std::size_t>(newest + *back)] : boot;
  CHECK_OK(match("_BOOT_ID=" + id));
  api_.add_conjunction(handle_.get());
  return {};
}

Status Journal::seek(std::optional<std::int64_t> unix_ns) {
  const int sought =
      unix_ns && *unix_ns > kReportNs
          ? api_.seek_realtime_usec(handle_.get(),
                                    static_cast<std::uint64_t>((*unix_ns - kReportNs) / kNsPerUs))
          : api_.seek_head(handle_.get());
  if (sought < 0) return fail(sought, "find the first entry of the journal");
  return {};
}

Result<bool> Journal::next() {
  const int moved = api_.next(handle_.get());
  if (moved < 0) return fail(moved, "read the journal");
  return moved > 0;
}

std::string_view Journal::field(const char* name) {
  const void* bytes = nullptr;
  std::size_t size = 0;
  if (api_.get_data(handle_.get(), name, &bytes, &size) < 0) return {};
  const std::string_view text(static_cast<const char*>(bytes), size);
  return text.substr(std::min(text.size(), std::string_view(name).size() + 1));
}

Result<int> Journal::fd() {
  const int fd = api_.get_fd(handle_.get());
  if (fd < 0) return fail(fd, "watch the journal");
  return fd;
}

Status Journal::process() {
  const int changed = api_.process(handle_.get());
  if (changed < 0) return fail(changed, "watch the journal");
  return {};
}

std::int64_t Journal::unix_ns() {
  std::uint64_t us = 0;
  if (api_.get_realtime_usec(handle_.get(), &us) < 0) return 0;
  return static_cast<std::int64_t>(us) * kNsPerUs;
}

// 0: not known.
std::uint64_t Journal::monotonic_ns() {
  std::uint64_t us = 0;
  JournalId boot;
  if (api_.get_monotonic_usec(handle_.get(), &us, &boot) < 0) return 0;
  return us * kNsPerUs;
}

class JournalStream : public ByteStream {
 public:
  JournalStream(Journal journal, const JournalQuery& options)
      : journal_(std::move(journal)),
        until_(options.until_unix_ns),
        since_monotonic_ns_(options.since_monotonic_ns),
        follow_(options.follow),
        stop_fd_(options.stop_fd) {}

  Result<std::size_t> read(std::span<char> room) override;
  Result<Wake> wait(std::optional<std::chrono::milliseconds> quiet_after) override;

 private:
  void append_entry();

  Journal journal_;
  std::optional<std::int64_t> until_;
  std::uint64_t since_monotonic_ns_;
  bool follow_;
  int stop_fd_;
  LineQueue queue_;
};

// Bytes that are no UTF-8 stay as they are: nlohmann's dump and ours would write other ones.
void append_json(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= ' ') {
      out += c;
      continue;
    }
    std::array<char, 8> code{};
    std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(c));
    out += code.data();
  }
  out += '"';
}

void JournalStream::append_entry() {
  constexpr std::array kFields = {"_BOOT_ID",        "_HOSTNAME",
                                  "_TRANSPORT",      "SYSLOG_IDENTIFIER",
                                  "SYSLOG_FACILITY", "_SOURCE_MONOTONIC_TIMESTAMP",
                                  "MESSAGE"};
  std::string& out = queue_.lines();
  out += R"({"__REALTIME_TIMESTAMP":")" + std::to_string(journal_.unix_ns() / kNsPerUs) + '"';
  for (const char* const name : kFields) {
    const std::string_view value = journal_.field(name);
    if (value.empty()) continue;
    out.append(",\"").append(name).append("\":");
    append_json(out, value);
  }
  out += "}\n";
}

Result<std::size_t> JournalStream::read(std::span<char> room) {
  while (queue_.lines().size() < kQueueBytes) {
    TRY(const bool more, journal_.next());
    if (!more) break;
    if (until_ && journal_.unix_ns() > *until_ + kReportNs) continue;
    if (since_monotonic_ns_ > 0 && journal_.monotonic_ns() < since_monotonic_ns_) continue;
    append_entry();
  }
  return queue_.take(room);
}

Result<Wake> JournalStream::wait(std::optional<std::chrono::milliseconds> quiet_after) {
  if (!follow_) return Wake::kStop;
  TRY(const int fd, journal_.fd());
  TRY(const Wake wake, wait_for(fd, stop_fd_, quiet_after));
  CHECK_OK(journal_.process());
  return wake;
}

}  // namespace

Result<std::unique_ptr<ByteStream>> open_journal(const JournalQuery& options) {
  TRY(Journal journal, Journal::open(options));
  if (options.boot) CHECK_OK(journal.only_boot(*options.boot));
  CHECK_OK(journal.only_kills(options.kernel_only));
  CHECK_OK(journal.seek(options.since_unix_ns));
  if (options.follow) {
    TRY([[maybe_unused]] const int watched, journal.fd());
  }
  return std::unique_ptr<ByteStream>(std::make_unique<JournalStream>(std::move(journal), options));
}

Result<std::vector<std::string>> journal_boots(const JournalQuery& options) {
  TRY(Journal journal, Journal::open(options));
  return journal.boots();
}

}  // namespace oomwitness
