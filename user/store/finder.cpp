// SPDX-License-Identifier: BSD-2-Clause
#include "store/finder.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "store/terms.h"
#include "store/writer.h"

namespace oomwitness {
namespace {

constexpr std::size_t kShortestContainerId = 12;
constexpr std::int64_t kMostContainers = 64;  // of one beginning of an id
constexpr std::int64_t kCountedAtMost = 4096;

// The terms that are alternatives of each other.
using Alternatives = std::vector<std::int64_t>;

struct Range {
  std::int64_t since = 0;
  std::int64_t until = 0;
};

struct Hit {
  std::int64_t time_ns = 0;
  std::int64_t key = 0;
  auto operator<=>(const Hit&) const = default;
};

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
  Status scan(std::int64_t term, std::vector<Hit>& hits);

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
      database_.prepare("SELECT count(*) FROM (SELECT 1 FROM posting WHERE term = ? AND "
                        "time_ns BETWEEN ? AND ? LIMIT ?)"));
  std::int64_t total = 0;
  for (const std::int64_t term : terms) {
    statement.bind(1, term).bind(2, range_.since).bind(3, range_.until).bind(4, kCountedAtMost);
    TRY(const bool row, statement.step());
    if (row) total += statement.integer(0);
    statement.reset();
  }
  return total;
}

// The walk is along the postings of one kind, and each of them is looked up in the others.
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
                                        "ORDER BY time_ns DESC, key DESC"));
  statement.bind(1, range_.since).bind(2, range_.until);
  std::vector<std::int64_t> keys;
  while (keys.size() < query_.limit) {
    TRY(const bool row, statement.step());
    if (!row) break;
    keys.push_back(statement.integer(0));
  }
  return keys;
}

std::string in_list(const Alternatives& terms) {
  std::string list;
  for (const std::int64_t term : terms) list += (list.empty() ? "" : ",") + std::to_string(term);
  return list;
}

// An incident has a posting for each of its victims, one after the other.
Status Finder::scan(std::int64_t term, std::vector<Hit>& hits) {
  std::string sql =
      "SELECT time_ns, slot FROM posting AS p WHERE term = ? AND time_ns BETWEEN ? AND ?";
  for (std::size_t i = 1; i < wanted_.size(); ++i) {
    sql += " AND EXISTS(SELECT 1 FROM posting AS o WHERE o.term IN (" + in_list(wanted_[i]) +
           ") AND o.time_ns = p.time_ns AND o.slot = p.slot)";
  }
  TRY(auto statement, database_.prepare(sql + " ORDER BY time_ns DESC, slot DESC"));
  statement.bind(1, term).bind(2, range_.since).bind(3, range_.until);
  for (std::size_t found = 0; found < query_.limit;) {
    TRY(const bool row, statement.step());
    if (!row) return {};
    const Hit hit{statement.integer(0), key_of(statement.integer(1))};
    if (found > 0 && hits.back() == hit) continue;
    hits.push_back(hit);
    ++found;
  }
  return {};
}

Result<std::vector<std::int64_t>> Finder::run() {
  CHECK_OK(resolve_all());
  std::vector<std::int64_t> keys;
  if (impossible_) return keys;
  if (wanted_.empty()) return newest();
  CHECK_OK(rarest_first());
  std::vector<Hit> hits;
  for (const std::int64_t term : wanted_[0]) CHECK_OK(scan(term, hits));
  std::sort(hits.begin(), hits.end(), std::greater<>());
  hits.erase(std::unique(hits.begin(), hits.end()), hits.end());
  hits.resize(std::min(hits.size(), query_.limit));
  for (const Hit& hit : hits) keys.push_back(hit.key);
  return keys;
}

}  // namespace

Result<std::vector<std::int64_t>> find_keys(Database& database, const HistoryQuery& query) {
  return Finder(database, query).run();
}

}  // namespace oomwitness
