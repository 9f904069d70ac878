// SPDX-License-Identifier: BSD-2-Clause
// An incident as an entry of systemd's journal.
#pragma once

#include <sys/uio.h>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sink/exporter.h"

namespace oomwitness {

// Finds the text of packaging/journal/oomwitness.catalog for `journalctl -x`.
inline constexpr std::string_view kIncidentMessageId = "c6ec57504c1dd40545672f3fdb746ad2";

// "NAME=value" each: MESSAGE, MESSAGE_ID, PRIORITY, SYSLOG_IDENTIFIER, OOMWITNESS_* for the fields
// of export_fields, OOMWITNESS_JSON. Values are valid UTF-8 and have no control bytes: journalctl
// shows any other as "[n B blob data]". Pure.
std::vector<std::string> journal_fields(const ExportItem& item);

// sd_journal_sendv(3): 0, or -errno.
using JournalSend = std::function<int(const iovec* fields, int count)>;
JournalSend journal_sender();

class JournalExporter : public Exporter {
 public:
  // `socket`: journald's own; without it sd_journal_sendv says that all went well.
  JournalExporter(std::string name, JournalSend send,
                  std::filesystem::path socket = "/run/systemd/journal/socket");

  const std::string& name() const override { return name_; }
  ExportOutcome send(std::span<const ExportItem> batch, const std::stop_token& stop) override;

 private:
  std::string name_;
  JournalSend send_;
  std::filesystem::path socket_;
};

}  // namespace oomwitness
