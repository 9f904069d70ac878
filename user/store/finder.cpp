// SPDX-License-Identifier: BSD-2-Clause
#include "store/finder.h"

#include <limits>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "store/terms.h"
#include "store/writer.h"

namespace oomwitness {
namespace {

constexpr std::size_t kShortestContainerId = 12;
constexpr std::int64_t kMostContainers = 64;  // of one beginning of an id
constexpr std::int64_t kCountedAtMost = 16384;

// The terms that are alternatives of each other.
using Alternatives = std::vector<std::int64_t>;

struct Range {
  std::int64_t since = 0;
  std::int64_t until = 0;
};

struct Hit {
  std::int64_t time_ns = 0;
  std::int64_t key = 0;
  bool operator==(const Hit&) const = default;
  bool operator<(const Hit& other) const {
    return std::tie(time_ns, key) < std::tie(other.time_ns, other.key);
  }
};

// Beyond so many subjects, one incident in some hundred at least is of one of them, and walking
// back in time finds a page sooner than asking each.
constexpr std::size_t kManySubjects = 6000;

std::string in_list(const Alternatives& terms) {
  std::string list;
  for (const std::int64_t term : terms) list += (list.empty() ? "" : ",") + std::to_string(term);
  return list;
}

class Finder {
 public:
  Finder(Database& database, const HistoryQuery& query)
      : database_(database),
        query_(query),
        range_{query.since_unix_ns.value_or(std::numeric_limits<std::int64_t>::min()),
               query.until_unix_ns.value_or(std::numeric_limits<std::int64_t>::max())} {}

  Result<std::vector<std::int64_t>> run();

 private:
  Status resolve_all();
  Status resolve(TermKind kind, const std::vector<std::string>& values);
  Status add_exact(TermKind kind, std::string_view text, Alternatives& into);
  Status add_container_ids(std::string_view beginning, Alternatives& into);
  Status rarest_first();
  Result<std::int64_t> count(const Alternatives& terms);
  Result<std::vector<std::int64_t>> newest();
  // Those that fit every kind of filter: all of them, or the first of too many.
  Result<std::vector<std::int64_t>> subjects();
  // That a subject is among those of every kind from the n-th on.
  std::string fits_from(std::size_t n, const std::string& subject) const;
  Result<std::vector<std::int64_t>> merge(const std::vector<std::int64_t>& subjects);
  Result<std::vector<std::int64_t>> walk();

  Database& database_;
  const HistoryQuery& query_;
  Range range_;
  std::vector<Alternatives> wanted_;  // one for each kind of filter given
  bool impossible_ = false;           // a filter names what the store has never seen
};

Status Finder::add_exact(TermKind kind, std::string_view text, Alternatives& into) {
  TRY(auto find, database_.prepare("SELECT id FROM term WHERE kind = ? AND text = ?"));
  TRY(const bool row, find.bind(1, static_cast<std::int64_t>(kind)).bind_bytes(2, text).step());
  if (row) into.push_back(find.integer(0));
  return {};
}

Status Finder::add_container_ids(std::string_view beginning, Alternatives& into) {
  if (beginning.size() < kShortestContainerId) return {};
  const std::string end = std::string(beginning) + '\x7f';
  TRY(auto find, database_.prepare("SELECT id FROM term WHERE kind = ? AND text > ? AND text < ? "
                                   "LIMIT ?"));
  find.bind(1, static_cast<std::int64_t>(TermKind::kContainer)).bind_bytes(2, beginning);
  find.bind_bytes(3, end).bind(4, kMostContainers);
  for (;;) {
    TRY(const bool row, find.step());
    if (!row) return {};
    into.push_back(find.integer(0));
  }
}

Status Finder::resolve(TermKind kind, const std::vector<std::string>& values) {
  if (values.empty()) return {};
  Alternatives terms;
  for (const std::string& value : values) {
    std::string_view text = value;
    if (kind == TermKind::kCgroup) {
      text = cgroup_term(text);
      if (text.empty()) return {};  // the root: everything is in it
    }
    CHECK_OK(add_exact(kind, text, terms));
    if (kind == TermKind::kUnit) CHECK_OK(add_exact(kind, value + ".service", terms));
    if (kind == TermKind::kContainer) CHECK_OK(add_container_ids(text, terms));
  }
  if (terms.empty()) impossible_ = true;
  wanted_.push_back(std::move(terms));
  return {};
}

Status Finder::resolve_all() {
  CHECK_OK(resolve(TermKind::kComm, query_.comm));
  CHECK_OK(resolve(TermKind::kUnit, query_.unit));
  CHECK_OK(resolve(TermKind::kCgroup, query_.cgroup));
  CHECK_OK(resolve(TermKind::kPod, query_.pod));
  CHECK_OK(resolve(TermKind::kContainer, query_.container));
  return resolve(TermKind::kCause, query_.cause);
}

Result<std::int64_t> Finder::count(const Alternatives& terms) {
  TRY(auto statement,
      database_.prepare(
          "SELECT count(*) FROM (SELECT 1 FROM subject_term WHERE term = ? LIMIT ?)"));
  std::int64_t total = 0;
  for (const std::int64_t term : terms) {
    statement.bind(1, term).bind(2, kCountedAtMost);
    TRY(const bool row, statement.step());
    if (row) total += statement.integer(0);
    statement.reset();
  }
  return total;
}

// The subjects of one kind are looked up in the others.
Status Finder::rarest_first() {
  if (wanted_.size() < 2) return {};
  std::size_t rarest = 0;
  std::int64_t fewest = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    TRY(const auto many, count(wanted_[i]));
    if (many < fewest) {
      fewest = many;
      rarest = i;
    }
  }
  std::swap(wanted_[0], wanted_[rarest]);
  return {};
}

Result<std::vector<std::int64_t>> Finder::newest() {
  TRY(auto statement, database_.prepare("SELECT key FROM incident WHERE time_ns BETWEEN ? AND ? "
                                        "ORDER BY time_ns DESC"));
  statement.bind(1, range_.since).bind(2, range_.until);
  std::vector<std::int64_t> keys;
  while (keys.size() < query_.limit) {
    TRY(const bool row, statement.step());
    if (!row) break;
    keys.push_back(statement.integer(0));
  }
  return keys;
}

std::string Finder::fits_from(std::size_t n, const std::string& subject) const {
  std::string sql;
  for (; n < wanted_.size(); ++n) {
    sql += " AND EXISTS(SELECT 1 FROM subject_term AS o WHERE o.term IN (" + in_list(wanted_[n]) +
           ") AND o.subject = " + subject + ")";
  }
  return sql;
}

Result<std::vector<std::int64_t>> Finder::subjects() {
  TRY(auto statement,
      database_.prepare("SELECT DISTINCT t.subject FROM subject_term AS t WHERE t.term IN (" +
                        in_list(wanted_[0]) + ")" + fits_from(1, "t.subject")));
  std::vector<std::int64_t> found;
  while (found.size() <= kManySubjects) {
    TRY(const bool row, statement.step());
    if (!row) break;
    found.push_back(statement.integer(0));
  }
  return found;
}

// The youngest kill of each subject first, then always the next of the one that was youngest.
Result<std::vector<std::int64_t>> Finder::merge(const std::vector<std::int64_t>& subjects) {
  struct Head {
    Hit hit;
    std::int64_t subject = 0;
    bool operator<(const Head& other) const { return hit < other.hit; }
  };
  TRY(auto statement,
      database_.prepare(
          "SELECT time_ns, incident FROM kill WHERE subject = ? AND time_ns >= ? AND "
          "(time_ns, incident) < (?, ?) ORDER BY time_ns DESC, incident DESC LIMIT 1"));
  std::priority_queue<Head> heads;
  const auto add = [&](std::int64_t subject, const Hit& before) -> Status {
    statement.bind(1, subject).bind(2, range_.since).bind(3, before.time_ns).bind(4, before.key);
    TRY(const bool row, statement.step());
    if (row) heads.push({{statement.integer(0), statement.integer(1)}, subject});
    statement.reset();
    return {};
  };
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t subject : subjects) CHECK_OK(add(subject, {range_.until, kLast}));
  std::vector<std::int64_t> keys;
  std::optional<Hit> last;  // an incident with several of the subjects comes once for each
  while (!heads.empty() && keys.size() < query_.limit) {
    const Head head = heads.top();
    heads.pop();
    if (last != head.hit) keys.push_back(head.hit.key);
    last = head.hit;
    CHECK_OK(add(head.subject, head.hit));
  }
  return keys;
}

Result<std::vector<std::int64_t>> Finder::walk() {
  TRY(auto incidents,
      database_.prepare("SELECT key, subjects FROM incident WHERE time_ns BETWEEN ? AND ? "
                        "ORDER BY time_ns DESC"));
  TRY(auto fits, database_.prepare("SELECT 1 WHERE 1" + fits_from(0, "?1")));
  incidents.bind(1, range_.since).bind(2, range_.until);
  std::unordered_map<std::int64_t, bool> known;
  const auto is_wanted = [&](std::int64_t subject) -> Result<bool> {
    const auto found = known.find(subject);
    if (found != known.end()) return found->second;
    TRY(const bool row, fits.bind(1, subject).step());
    fits.reset();
    known.emplace(subject, row);
    return row;
  };
  std::vector<std::int64_t> keys;
  while (keys.size() < query_.limit) {
    TRY(const bool row, incidents.step());
    if (!row) break;
    for (const std::int64_t subject : decode_ids(incidents.text(1))) {
      TRY(const bool wanted, is_wanted(subject));
      if (!wanted) continue;
      keys.push_back(incidents.integer(0));
      break;
    }
  }
  return keys;
}

Result<std::vector<std::int64_t>> Finder::run() {
  CHECK_OK(resolve_all());
  if (impossible_) return std::vector<std::int64_t>();
  if (wanted_.empty()) return newest();
  CHECK_OK(rarest_first());
  TRY(const auto found, subjects());
  return found.size() > kManySubjects ? walk() : merge(found);
}

}  // namespace

Result<std::vector<std::int64_t>> find_keys(Database& database, const HistoryQuery& query) {
  return Finder(database, query).run();
}

}  // namespace oomwitness
