// SPDX-License-Identifier: BSD-2-Clause
// The incidents of a host, kept in SQLite. One writer (a lock file says so), any number of readers
// in other processes, while it writes. A Store may be used by several threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "incident/incident.h"
#include "store/query.h"
#include "support/result.h"

namespace oomwitness {

struct StoreOptions {
  std::chrono::seconds max_age = std::chrono::hours(24 * 90);
  // Of the database, without the write-ahead log (8 MiB more in a storm of kills).
  std::uint64_t max_bytes = 512ULL << 20U;
  // What an exporter has not had yet stays, whatever its age, until the store is this much larger
  // than max_bytes.
  std::uint64_t unsent_bytes = 512ULL << 20U;
  std::uint32_t cache_kib = 1024;
};

struct StoredIncident {
  std::int64_t seq = 0;  // rises with every write, of a new incident or of an update
  std::string id;
  std::uint32_t revision = 0;
  std::string json;  // as to_json makes it; empty: what the store has of it is damaged
};

// How far the kernel's log of a boot has been dealt with.
struct LogPlace {
  std::uint64_t next = 0;  // sequence number: every kill told of before it is in the store
  // The log's clock is not steered as CLOCK_MONOTONIC is: the last known difference.
  std::optional<std::int64_t> minus_monotonic_ns;
  // CLOCK_MONOTONIC until which every kill that the log told of was in the store; 0: not known.
  std::uint64_t settled_ns = 0;
};

struct KnownBoot {
  std::string boot_id;
  std::uint64_t settled_ns = 0;  // as LogPlace has it
  bool closed = false;           // it is over, and every kill that a log kept of it is in the store
};

struct Retained {
  std::uint64_t removed = 0;
  std::uint64_t removed_unsent = 0;  // of them, those that some exporter had not had
};

class Store {
 public:
  // Makes the file (mode 0640) where there is none, in a folder that exists; brings an older schema
  // up to date. Errors: another writer has it, a newer schema, a damaged file (is_corruption() in
  // database.h), a folder or file system that cannot be written.
  static Result<Store> open(const std::string& path, StoreOptions options = {});
  // To read while a writer may be at work, or after it. Errors as above, and that of an older
  // schema.
  static Result<Store> open_to_read(const std::string& path);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  // Each is one transaction. True: written. False: the store has this revision of that id, or a
  // later one. What is written survives the death of this process at once, and that of the machine
  // after the next sync(): a commit does not wait for the disk, which in a shortage of memory can
  // take seconds.
  Result<bool> put(const Incident& incident);
  // All of them in one transaction; how many were written.
  Result<std::size_t> put_all(std::span<const Incident> incidents);
  Status sync();

  // What was written after `seq`, oldest writing first, at most `limit`: what an exporter is to
  // send next. An incident that was updated since comes once, as it is now.
  Result<std::vector<StoredIncident>> after(std::int64_t seq, std::size_t limit);
  Result<std::int64_t> last_seq();
  // How far an exporter has come; absent: it was never here. A place keeps what comes after it from
  // being removed by age and size (see StoreOptions::unsent_bytes), until it is forgotten.
  Result<std::optional<std::int64_t>> place_of(std::string_view exporter);
  Status set_place(std::string_view exporter, std::int64_t seq);
  Status forget_place(std::string_view exporter);
  Result<std::vector<std::string>> exporters();

  // For the retains to come; the cache stays as it is.
  void set_limits(const StoreOptions& options);
  // Removes what is too old (`now_unix_ns` absent: nothing is) and, oldest first, what is too much.
  Result<Retained> retain(std::optional<std::int64_t> now_unix_ns);

  Result<LogPlace> log_place(std::string_view boot_id);
  Status set_log_place(std::string_view boot_id, const LogPlace& place);
  // Those that something was ever stored of, in the order they were heard of.
  Result<std::vector<KnownBoot>> boots();
  Status close_boot(std::string_view boot_id);
  // Kernel kills of that boot that were ever described here, removed ones too, to compare with
  // oom_kill of /proc/vmstat.
  Result<std::uint64_t> kills(std::string_view boot_id);
  // Those of a boot from that time on, by CLOCK_MONOTONIC of their decision, newest first.
  Result<std::vector<StoredIncident>> of_boot(std::string_view boot_id, std::uint64_t monotonic_ns,
                                              std::size_t limit);
  // The same, oldest first.
  Result<std::vector<StoredIncident>> of_boot_onwards(std::string_view boot_id,
                                                      std::uint64_t monotonic_ns,
                                                      std::size_t limit);

  // Newest first.
  Result<std::vector<StoredIncident>> query(const HistoryQuery& query);
  // Whose id begins so: two at most, to tell whether it is the only one.
  Result<std::vector<StoredIncident>> find(std::string_view id_prefix);
  Result<std::uint64_t> count();
  // Of the database, free pages left out.
  Result<std::uint64_t> bytes();

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace oomwitness
