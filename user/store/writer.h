// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "incident/incident.h"
#include "store/database.h"
#include "store/packed_json.h"
#include "store/terms.h"

namespace oomwitness {

// The greatest number ever given to a write.
Result<std::int64_t> read_last_seq(Database& database);

// Writes incidents. Statements are prepared once: an incident is some twenty small inserts.
class Writer {
 public:
  // The database must outlive it.
  static Result<Writer> make(Database& database);

  // One transaction; how many of them were new or later revisions. On an error nothing is.
  Result<std::size_t> put(std::span<const Incident> incidents);
  // After some have been removed.
  void forget_names() {
    terms_.clear();
    subjects_.clear();
  }

 private:
  // Rows of the table kill: of one incident, one for each subject.
  struct Kills {
    std::int64_t time_ns = 0;
    std::string subjects;  // encoded
    bool operator==(const Kills&) const = default;
  };
  struct Known {
    std::int64_t key = 0;
    std::uint32_t revision = 0;
    std::uint64_t kills = 0;
    Kills listed;
  };

  explicit Writer(Database& database) : database_(&database) {}
  Result<bool> is_news(const Incident& incident);
  Result<std::optional<Known>> find(const Incident& incident);
  Status write(const Incident& incident, const std::optional<Known>& known);
  Status add(const Kills& kills, std::int64_t key);
  Status remove(const Kills& kills, std::int64_t key);
  Result<std::int64_t> insert(const Incident& incident, std::int64_t boot,
                              const std::string& subjects);
  Status update(const Incident& incident, const Known& known, const std::string& subjects);
  Result<std::int64_t> boot_key(const std::string& boot_id);
  Status count_kills(std::int64_t boot, std::uint64_t kills, std::uint64_t before);
  Result<std::int64_t> term_id(const Term& term);
  Result<std::int64_t> subject_id(const std::vector<Term>& terms);
  // As incident.subjects has them.
  Result<std::string> encoded_subjects(const Incident& incident);

  Database* database_;
  JsonPacker packer_;
  std::int64_t last_seq_ = 0;
  std::map<std::pair<TermKind, std::string>, std::int64_t> terms_;
  std::map<std::string, std::int64_t> subjects_;  // by their terms, encoded
  std::pair<std::string, std::int64_t> boot_;
  Statement find_;
  Statement insert_;
  Statement update_;
  Statement insert_kill_;
  Statement delete_kill_;
  Statement find_subject_;
  Statement insert_subject_;
  Statement insert_subject_term_;
  Statement find_term_;
  Statement insert_term_;
  Statement find_boot_;
  Statement insert_boot_;
  Statement count_kills_;
};

// incident.subjects and subject.terms: little-endian 64-bit numbers.
std::string encode_ids(const std::vector<std::int64_t>& ids);
std::vector<std::int64_t> decode_ids(std::string_view encoded);

}  // namespace oomwitness
