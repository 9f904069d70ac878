// SPDX-License-Identifier: BSD-2-Clause
#include "store/retention.h"

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "store/writer.h"

namespace oomwitness {
namespace {

constexpr std::int64_t kStep = 64;  // incidents in one transaction
// What an incident takes beside its JSON: its row and its share of the indices.
constexpr std::uint64_t kOverheadBytes = 512;

struct Doomed {
  std::int64_t key = 0;
  std::int64_t time_ns = 0;
  std::string subjects;
  std::uint64_t bytes = 0;
};

enum class Which { kSent, kUnsent };

class Step {
 public:
  Step(Database& database, std::int64_t sent, std::int64_t oldest)
      : database_(database), sent_(sent), oldest_(oldest) {}

  // Oldest first: those that are too old, and others until `excess` bytes are freed.
  Result<std::vector<Doomed>> choose(Which which, std::uint64_t excess);
  Status remove(const std::vector<Doomed>& doomed);

 private:
  Status remove_incidents(const std::vector<Doomed>& doomed);
  // Their names, where nobody else has them.
  Status remove_unused_names(const std::set<std::int64_t>& subjects);
  Status remove_terms(std::int64_t subject, const std::vector<std::int64_t>& terms);

  Database& database_;
  std::int64_t sent_;    // the last number that every exporter has had
  std::int64_t oldest_;  // what happened before is too old, ns since 1970
};

Result<std::vector<Doomed>> Step::choose(Which which, std::uint64_t excess) {
  TRY(auto statement, database_.prepare(std::string("SELECT key, time_ns, subjects, length(json) "
                                                    "FROM incident WHERE seq ") +
                                        (which == Which::kSent ? "<=" : ">") +
                                        " ? AND (? OR time_ns < ?) ORDER BY time_ns LIMIT ?"));
  statement.bind(1, sent_).bind(2, std::int64_t{excess > 0}).bind(3, oldest_).bind(4, kStep);
  std::vector<Doomed> doomed;
  std::uint64_t freed = 0;
  for (;;) {
    TRY(const bool row, statement.step());
    if (!row) return doomed;
    Doomed one{.key = statement.integer(0),
               .time_ns = statement.integer(1),
               .subjects = std::string(statement.text(2)),
               .bytes = static_cast<std::uint64_t>(statement.integer(3)) + kOverheadBytes};
    if (freed >= excess && one.time_ns >= oldest_) return doomed;
    freed += one.bytes;
    doomed.push_back(std::move(one));
  }
}

Status Step::remove_incidents(const std::vector<Doomed>& doomed) {
  TRY(auto kill,
      database_.prepare("DELETE FROM kill WHERE subject = ? AND time_ns = ? AND incident = ?"));
  TRY(auto incident, database_.prepare("DELETE FROM incident WHERE key = ?"));
  for (const Doomed& one : doomed) {
    for (const std::int64_t subject : decode_ids(one.subjects))
      CHECK_OK(kill.bind(1, subject).bind(2, one.time_ns).bind(3, one.key).run());
    CHECK_OK(incident.bind(1, one.key).run());
  }
  return {};
}

Status Step::remove_unused_names(const std::set<std::int64_t>& subjects) {
  TRY(auto unused, database_.prepare("DELETE FROM subject WHERE id = ?1 AND NOT EXISTS(SELECT 1 "
                                     "FROM kill WHERE subject = ?1) RETURNING terms"));
  for (const std::int64_t subject : subjects) {
    TRY(const bool row, unused.bind(1, subject).step());
    if (!row) continue;
    const std::vector<std::int64_t> terms = decode_ids(unused.text(0));
    CHECK_OK(unused.run());
    CHECK_OK(remove_terms(subject, terms));
  }
  return {};
}

Status Step::remove_terms(std::int64_t subject, const std::vector<std::int64_t>& terms) {
  TRY(auto forget, database_.prepare("DELETE FROM subject_term WHERE term = ? AND subject = ?"));
  TRY(auto term, database_.prepare("DELETE FROM term WHERE id = ?1 AND NOT EXISTS(SELECT 1 FROM "
                                   "subject_term WHERE subject_term.term = ?1)"));
  for (const std::int64_t id : terms) {
    CHECK_OK(forget.bind(1, id).bind(2, subject).run());
    CHECK_OK(term.bind(1, id).run());
  }
  return {};
}

Status Step::remove(const std::vector<Doomed>& doomed) {
  TRY(auto transaction, Transaction::begin(database_));
  // The newest may be among them, and its number must not be given again.
  TRY(const auto last_seq, read_last_seq(database_));
  TRY(auto keep, database_.prepare("INSERT OR REPLACE INTO counter VALUES('last_seq', ?)"));
  CHECK_OK(keep.bind(1, last_seq).run());
  std::set<std::int64_t> subjects;
  for (const Doomed& one : doomed)
    for (const std::int64_t subject : decode_ids(one.subjects)) subjects.insert(subject);
  CHECK_OK(remove_incidents(doomed));
  CHECK_OK(remove_unused_names(subjects));
  CHECK_OK(transaction.commit());
  return database_.execute("PRAGMA incremental_vacuum(256)");
}

}  // namespace

Result<std::uint64_t> used_bytes(Database& database) {
  TRY(const auto pages, database.integer("PRAGMA page_count"));
  TRY(const auto free, database.integer("PRAGMA freelist_count"));
  TRY(const auto size, database.integer("PRAGMA page_size"));
  return static_cast<std::uint64_t>((pages - free) * size);
}

Result<Retained> retain_step(Database& database, const StoreOptions& options,
                             std::optional<std::int64_t> now_unix_ns) {
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
  const std::int64_t oldest =
      now_unix_ns ? *now_unix_ns - std::chrono::nanoseconds(options.max_age).count() : kNever;
  TRY(const auto bytes, used_bytes(database));
  TRY(const auto sent,
      database.integer("SELECT coalesce(min(seq), 9223372036854775807) FROM place"));
  const auto above = [bytes = bytes](std::uint64_t limit) {
    return bytes > limit ? bytes - limit : 0;
  };
  Step step(database, sent, oldest);
  TRY(auto doomed, step.choose(Which::kSent, above(options.max_bytes)));
  Retained retained;
  if (doomed.empty()) {
    const std::uint64_t far = above(options.max_bytes + options.unsent_bytes);
    if (far == 0) return retained;
    TRY(doomed, step.choose(Which::kUnsent, far));
    retained.removed_unsent = doomed.size();
  }
  if (doomed.empty()) return retained;
  CHECK_OK(step.remove(doomed));
  retained.removed = doomed.size();
  return retained;
}

}  // namespace oomwitness
