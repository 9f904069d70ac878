// SPDX-License-Identifier: BSD-2-Clause
#include "sink/journal_exporter.h"

// The position of each call in our source is nothing to a reader of the journal.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <systemd/sd-journal.h>

#include "sink/export_fields.h"
#include "support/text.h"

namespace oomwitness {
namespace {

// syslog(3)'s levels.
std::string_view priority_of(ExportSeverity severity) {
  switch (severity) {
    case ExportSeverity::kInfo: return "6";
    case ExportSeverity::kWarning: return "4";
    case ExportSeverity::kError: return "3";
    case ExportSeverity::kCritical: break;
  }
  return "2";
}

std::string upper(std::string_view name) {
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

}  // namespace

std::vector<std::string> journal_fields(const ExportItem& item) {
  std::vector<std::string> out{
      "MESSAGE=" + export_headline(item.incident),
      "MESSAGE_ID=" + std::string(kIncidentMessageId),
      "PRIORITY=" + std::string(priority_of(severity_of(item.incident))),
      "SYSLOG_IDENTIFIER=oomwitness",
  };
  for (const ExportField& field : export_fields(item.incident))
    out.push_back("OOMWITNESS_" + upper(field.name) + "=" + escape_for_terminal(field.value));
  out.push_back("OOMWITNESS_JSON=" + item.json);
  return out;
}

JournalSend journal_sender() {
  return [](const iovec* fields, int count) { return ::sd_journal_sendv(fields, count); };
}

JournalExporter::JournalExporter(std::string name, JournalSend send, std::filesystem::path socket)
    : name_(std::move(name)), send_(std::move(send)), socket_(std::move(socket)) {}

ExportOutcome JournalExporter::send(std::span<const ExportItem> batch, const std::stop_token&) {
  std::error_code ignored;
  if (!std::filesystem::is_socket(socket_, ignored))
    return try_later(batch, 0, "systemd-journald is not running: there is no " + socket_.string());
  for (std::size_t sent = 0; sent < batch.size(); ++sent) {
    std::vector<std::string> fields = journal_fields(batch[sent]);
    std::vector<iovec> parts;
    parts.reserve(fields.size());
    for (std::string& field : fields) parts.push_back({field.data(), field.size()});
    const int error = send_(parts.data(), static_cast<int>(parts.size()));
    if (error == 0) continue;
    return try_later(batch, sent,
                     "send to the journal: " + std::generic_category().message(-error));
  }
  return all_sent(batch);
}

}  // namespace oomwitness
