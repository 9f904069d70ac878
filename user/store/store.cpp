// SPDX-License-Identifier: BSD-2-Clause
#include "store/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <utility>

#include "store/database.h"
#include "store/finder.h"
#include "store/packed_json.h"
#include "store/retention.h"
#include "store/schema.h"
#include "store/writer.h"
#include "support/owned_fd.h"

namespace oomwitness {
namespace {

constexpr mode_t kFileMode = 0640;

// Whoever opens and closes the database itself gives up SQLite's locks on it (fcntl(2)): the lock
// is a file of its own.
Result<OwnedFd> lock_writer(const std::string& path) {
  const std::string name = path + ".lock";
  OwnedFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
  if (fd.get() < 0) {
    const int error = errno;
    return fail(error, "open " + name, "the store's folder must exist and be writable");
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(errno, "lock the store " + path,
                "another agent is using it: stop that one, or give this one a store of its own");
  }
  return fd;
}

// SQLite gives its other files the mode of this one.
Status make_file(const std::string& path) {
  const OwnedFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
  if (fd.get() < 0) {
    if (errno == EEXIST) return {};
    const int error = errno;
    return fail(error, "make the store " + path, "the store's folder must be writable");
  }
  if (::fchmod(fd.get(), kFileMode) != 0) return fail(errno, "set the mode of " + path);
  return {};
}

// WAL: readers and the writer do not wait for each other. NORMAL: a commit is a write, without an
// fsync, and the file is intact whatever happens; sync() says when what is written is on the disk.
Status set_up(Database& database, const StoreOptions& options) {
  // Both before the first table is there; they do nothing later. An incident touches some twenty
  // pages, most of them of indices, and each goes into the log whole: small ones make it a quarter.
  CHECK_OK(database.execute("PRAGMA page_size = 1024"));
  CHECK_OK(database.execute("PRAGMA auto_vacuum = INCREMENTAL"));
  CHECK_OK(database.execute("PRAGMA journal_mode = WAL"));
  CHECK_OK(database.execute("PRAGMA synchronous = NORMAL"));
  // A storm of kills is written into the log alone, up to 8 MiB of it.
  CHECK_OK(database.execute("PRAGMA wal_autocheckpoint = 8192"));
  CHECK_OK(database.execute("PRAGMA journal_size_limit = 4194304"));
  const std::string cache = "PRAGMA cache_size = -" + std::to_string(options.cache_kib);
  CHECK_OK(database.execute(cache.c_str()));
  database.keep_wal_files();
  return {};
}

Status set_up_reader(Database& database) {
  CHECK_OK(database.execute("PRAGMA cache_size = -8192"));
  return expect_current_schema(database);
}

// A damaged one comes without its JSON: it must not keep the others from being read or sent.
StoredIncident stored(const Statement& row) {
  return {.seq = row.integer(0),
          .id = std::string(row.text(1)),
          .revision = static_cast<std::uint32_t>(row.integer(2)),
          .json = unpack_json(row.text(3)).value_or("")};
}

Result<std::vector<StoredIncident>> all(Statement& statement) {
  std::vector<StoredIncident> incidents;
  for (;;) {
    TRY(const bool row, statement.step());
    if (!row) return incidents;
    incidents.push_back(stored(statement));
  }
}

std::int64_t as_limit(std::size_t limit) {
  constexpr std::size_t kMost = 1U << 30U;
  return static_cast<std::int64_t>(std::min(limit, kMost));
}

}  // namespace

class Store::Impl {
 public:
  Impl(OwnedFd lock, Database opened, StoreOptions how)
      : lock_file(std::move(lock)), database(std::move(opened)), options(how) {}

  OwnedFd lock_file;
  Database database;
  StoreOptions options;
  std::optional<Writer> writer;  // not for a reader
  std::mutex mutex;

  // `order`: of time, "ASC" or "DESC".
  Result<std::vector<StoredIncident>> of_boot(std::string_view boot_id, std::uint64_t monotonic_ns,
                                              std::string_view order, std::size_t limit) {
    const std::lock_guard guard(mutex);
    TRY(auto statement,
        database.prepare(
            "SELECT seq, id, revision, json FROM incident "
            "WHERE boot = (SELECT key FROM boot WHERE boot_id = ?) AND monotonic_ns >= ? "
            "ORDER BY monotonic_ns " +
            std::string(order) + " LIMIT ?"));
    return all(statement.bind(1, boot_id)
                   .bind(2, static_cast<std::int64_t>(monotonic_ns))
                   .bind(3, as_limit(limit)));
  }
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const std::string& path, StoreOptions options) {
  TRY(auto lock, lock_writer(path));
  CHECK_OK(make_file(path));
  TRY(auto database, Database::open(path, OpenMode::kReadWrite));
  CHECK_OK(set_up(database, options));
  CHECK_OK(migrate(database));
  auto impl = std::make_unique<Impl>(std::move(lock), std::move(database), options);
  TRY(impl->writer, Writer::make(impl->database));
  return Store(std::move(impl));
}

Result<Store> Store::open_to_read(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) {
    const int error = errno;
    return fail(error, "open the store " + path,
                error == EACCES ? "run as root, or as a member of the group that owns it"
                                : "the agent makes it (oomwitness agent), or name another file");
  }
  TRY(auto database, Database::open(path, OpenMode::kReadOnly));
  if (const Status ready = set_up_reader(database); !ready) {
    // Without its files of the write-ahead log, and without the right to make them, nobody can be
    // writing either.
    if (::access((path + "-wal").c_str(), F_OK) == 0) return tl::make_unexpected(ready.error());
    TRY(database, Database::open(path, OpenMode::kImmutable));
    CHECK_OK(set_up_reader(database));
  }
  return Store(std::make_unique<Impl>(OwnedFd(), std::move(database), StoreOptions{}));
}

Result<bool> Store::put(const Incident& incident) {
  TRY(const auto written, put_all({&incident, 1}));
  return written > 0;
}

Result<std::size_t> Store::put_all(std::span<const Incident> incidents) {
  const std::lock_guard guard(impl_->mutex);
  return impl_->writer->put(incidents);
}

Status Store::sync() {
  const std::lock_guard guard(impl_->mutex);
  return impl_->database.checkpoint();
}

Result<std::vector<StoredIncident>> Store::after(std::int64_t seq, std::size_t limit) {
  const std::lock_guard guard(impl_->mutex);
  TRY(auto statement, impl_->database.prepare("SELECT seq, id, revision, json FROM incident "
                                              "WHERE seq > ? ORDER BY seq LIMIT ?"));
  return all(statement.bind(1, seq).bind(2, as_limit(limit)));
}

Result<std::int64_t> Store::last_seq() {
  const std::lock_guard guard(impl_->mutex);
  return read_last_seq(impl_->database);
}

Result<std::optional<std::int64_t>> Store::place_of(std::string_view exporter) {
  const std::lock_guard guard(impl_->mutex);
  TRY(auto statement, impl_->database.prepare("SELECT seq FROM place WHERE exporter = ?"));
  TRY(const bool row, statement.bind(1, exporter).step());
  return row ? std::optional(statement.integer(0)) : std::nullopt;
}

Status Store::set_place(std::string_view exporter, std::int64_t seq) {
  const std::lock_guard guard(impl_->mutex);
  TRY(auto statement,
      impl_->database.prepare("INSERT INTO place(exporter, seq) VALUES(?, ?) "
                              "ON CONFLICT(exporter) DO UPDATE SET seq = excluded.seq"));
  return statement.bind(1, exporter).bind(2, seq).run();
}

Status Store::forget_place(std::string_view exporter) {
  const std::lock_guard guard(impl_->mutex);
  TRY(auto statement, impl_->database.prepare("DELETE FROM place WHERE exporter = ?"));
  return statement.bind(1, exporter).run();
}

Result<std::vector<std::string>> Store::exporters() {
  const std::lock_guard guard(impl_->mutex);
  TRY(auto statement, impl_->database.prepare("SELECT exporter FROM place ORDER BY exporter"));
  std::vector<std::string> names;
  for (;;) {
    TRY(const bool row, statement.step());
    if (!row) return names;
    names.emplace_back(statement.text(0));
  }
}

void Store::set_limits(const StoreOptions& options) {
  const std::lock_guard guard(impl_->mutex);
  impl_->options = options;
}

Result<Retained> Store::retain(std::optional<std::int64_t> now_unix_ns) {
  Retained total;
  for (;;) {
    // In steps: a kill that comes meanwhile waits for one of them at most.
    const std::lock_guard guard(impl_->mutex);
    TRY(const auto step, retain_step(impl_->database, impl_->options, now_unix_ns));
    if (step.removed == 0) {
      impl_->writer->forget_names();
      return total;
    }
    total.removed += step.removed;
    total.removed_unsent += step.removed_unsent;
  }
}

Result<LogPlace> Store::log_place(std::string_view boot_id) {
  const std::lock_guard guard(impl_->mutex);
  TRY(auto statement,
      impl_->database.prepare(
          "SELECT log_next, log_minus_monotonic_ns, settled_ns FROM boot WHERE boot_id = ?"));
  TRY(const bool row, statement.bind(1, boot_id).step());
  LogPlace place;
  if (!row) return place;
  place.next = static_cast<std::uint64_t>(statement.integer(0));
  if (!statement.is_null(1)) place.minus_monotonic_ns = statement.integer(1);
  place.settled_ns = static_cast<std::uint64_t>(statement.integer(2));
  return place;
}

Status Store::set_log_place(std::string_view boot_id, const LogPlace& place) {
  const std::lock_guard guard(impl_->mutex);
  TRY(auto statement,
      impl_->database.prepare("INSERT INTO boot(boot_id, log_next, log_minus_monotonic_ns, "
                              "settled_ns) VALUES(?, ?, ?, ?) "
                              "ON CONFLICT(boot_id) DO UPDATE SET log_next = excluded.log_next, "
                              "log_minus_monotonic_ns = excluded.log_minus_monotonic_ns, "
                              "settled_ns = excluded.settled_ns"));
  statement.bind(1, boot_id).bind(2, static_cast<std::int64_t>(place.next));
  if (place.minus_monotonic_ns)
    statement.bind(3, *place.minus_monotonic_ns);
  else
    statement.bind_null(3);
  return statement.bind(4, static_cast<std::int64_t>(place.settled_ns)).run();
}

Result<std::vector<KnownBoot>> Store::boots() {
  const std::lock_guard guard(impl_->mutex);
  TRY(auto statement,
      impl_->database.prepare("SELECT boot_id, settled_ns, closed FROM boot ORDER BY key"));
  std::vector<KnownBoot> boots;
  for (;;) {
    TRY(const bool row, statement.step());
    if (!row) return boots;
    boots.push_back({.boot_id = std::string(statement.text(0)),
                     .settled_ns = static_cast<std::uint64_t>(statement.integer(1)),
                     .closed = statement.integer(2) != 0});
  }
}

Status Store::close_boot(std::string_view boot_id) {
  const std::lock_guard guard(impl_->mutex);
  TRY(auto statement, impl_->database.prepare("INSERT INTO boot(boot_id, closed) VALUES(?, 1) "
                                              "ON CONFLICT(boot_id) DO UPDATE SET closed = 1"));
  return statement.bind(1, boot_id).run();
}

Result<std::uint64_t> Store::kills(std::string_view boot_id) {
  const std::lock_guard guard(impl_->mutex);
  TRY(auto statement, impl_->database.prepare("SELECT kills FROM boot WHERE boot_id = ?"));
  TRY(const bool row, statement.bind(1, boot_id).step());
  return row ? static_cast<std::uint64_t>(statement.integer(0)) : 0;
}

Result<std::vector<StoredIncident>> Store::of_boot(std::string_view boot_id,
                                                   std::uint64_t monotonic_ns, std::size_t limit) {
  return impl_->of_boot(boot_id, monotonic_ns, "DESC", limit);
}

Result<std::vector<StoredIncident>> Store::of_boot_onwards(std::string_view boot_id,
                                                           std::uint64_t monotonic_ns,
                                                           std::size_t limit) {
  return impl_->of_boot(boot_id, monotonic_ns, "ASC", limit);
}

Result<std::vector<StoredIncident>> Store::query(const HistoryQuery& query) {
  const std::lock_guard guard(impl_->mutex);
  TRY(const auto keys, find_keys(impl_->database, query));
  TRY(auto statement,
      impl_->database.prepare("SELECT seq, id, revision, json FROM incident WHERE key = ?"));
  std::vector<StoredIncident> incidents;
  for (const std::int64_t key : keys) {
    TRY(const bool row, statement.bind(1, key).step());
    if (!row) continue;
    incidents.push_back(stored(statement));
    statement.reset();
  }
  return incidents;
}

Result<std::vector<StoredIncident>> Store::find(std::string_view id_prefix) {
  const std::lock_guard guard(impl_->mutex);
  std::string id(id_prefix);
  std::transform(id.begin(), id.end(), id.begin(), [](char byte) {
    return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
  });
  const std::string end = id + '\x7f';
  TRY(auto statement, impl_->database.prepare("SELECT seq, id, revision, json FROM incident "
                                              "WHERE id >= ? AND id < ? ORDER BY id LIMIT 2"));
  return all(statement.bind(1, id).bind(2, end));
}

Result<std::uint64_t> Store::count() {
  const std::lock_guard guard(impl_->mutex);
  TRY(const auto count, impl_->database.integer("SELECT count(*) FROM incident"));
  return static_cast<std::uint64_t>(count);
}

Result<std::uint64_t> Store::bytes() {
  const std::lock_guard guard(impl_->mutex);
  return used_bytes(impl_->database);
}

}  // namespace oomwitness
