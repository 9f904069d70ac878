// SPDX-License-Identifier: BSD-2-Clause
// Incidents as JSON lines in a file that turns over by size.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "sink/exporter.h"
#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

struct JsonFileOptions {
  std::filesystem::path path;
  // Before a batch that would make the file larger it becomes PATH.1, that one PATH.2, and so on.
  // 0: never, somebody else (logrotate) does it.
  std::uint64_t rotate_bytes = 64ULL << 20U;
  unsigned keep = 5;  // old files
  bool sync = true;   // fdatasync after each batch, before it counts as sent
  mode_t mode = 0640;

  bool operator==(const JsonFileOptions&) const = default;
};

// A batch is in the file whole or not at all: what a full disk left of it is taken back, what a
// crash left of it is cut off when the file is opened next. Follows a file that was moved away.
class JsonFile : public Exporter {
 public:
  JsonFile(std::string name, JsonFileOptions options);

  const std::string& name() const override { return name_; }
  ExportOutcome send(std::span<const ExportItem> batch, const std::stop_token& stop) override;
  void reopen() override { reopen_ = true; }

 private:
  Status write_batch(const std::string& lines);
  Status open();
  Status mend_end();
  Status rotate();
  bool is_still_there() const;

  std::string name_;
  JsonFileOptions options_;
  OwnedFd file_;
  std::uint64_t size_ = 0;
  std::atomic<bool> reopen_ = false;
};

}  // namespace oomwitness
