// SPDX-License-Identifier: BSD-2-Clause
#include "store/writer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "incident/json.h"
#include "store/packed_json.h"

namespace oomwitness {
namespace {

constexpr std::size_t kNamesRemembered = 512;

constexpr std::size_t kIdBytes = 8;

}  // namespace

std::string encode_ids(const std::vector<std::int64_t>& ids) {
  std::string encoded;
  for (const std::int64_t id : ids) {
    for (std::size_t i = 0; i < kIdBytes; ++i)
      encoded += static_cast<char>(static_cast<std::uint64_t>(id) >> (8 * i));
  }
  return encoded;
}

std::vector<std::int64_t> decode_ids(std::string_view encoded) {
  std::vector<std::int64_t> ids;
  for (; encoded.size() >= kIdBytes; encoded.remove_prefix(kIdBytes)) {
    std::uint64_t id = 0;
    for (std::size_t i = 0; i < kIdBytes; ++i)
      id |= std::uint64_t{static_cast<unsigned char>(encoded[i])} << (8 * i);
    ids.push_back(static_cast<std::int64_t>(id));
  }
  return ids;
}

// Rows may have been removed by then, the newest too: the counter has the last number at that time.
Result<std::int64_t> read_last_seq(Database& database) {
  return database.integer(
      "SELECT max(coalesce((SELECT max(seq) FROM incident), 0), "
      "coalesce((SELECT value FROM counter WHERE name = 'last_seq'), 0))");
}

Result<Writer> Writer::make(Database& database) {
  Writer writer(database);
  TRY(writer.last_seq_, read_last_seq(database));
  struct Text {
    Statement& statement;
    const char* sql;
  };
  const std::array texts{
      Text{writer.find_,
           "SELECT key, revision, time_ns, kills, subjects FROM incident WHERE id = ?"},
      Text{writer.insert_,
           "INSERT INTO incident(seq, id, revision, time_ns, boot, monotonic_ns, kills, subjects, "
           "json) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      Text{writer.update_,
           "UPDATE incident SET seq = ?, revision = ?, time_ns = ?, kills = ?, subjects = ?, "
           "json = ? WHERE key = ?"},
      Text{writer.insert_kill_,
           "INSERT OR IGNORE INTO kill(subject, time_ns, incident) VALUES(?, ?, ?)"},
      Text{writer.delete_kill_,
           "DELETE FROM kill WHERE subject = ? AND time_ns = ? AND incident = ?"},
      Text{writer.find_subject_, "SELECT id FROM subject WHERE terms = ?"},
      Text{writer.insert_subject_, "INSERT INTO subject(terms) VALUES(?)"},
      Text{writer.insert_subject_term_,
           "INSERT OR IGNORE INTO subject_term(term, subject) VALUES(?, ?)"},
      Text{writer.find_term_, "SELECT id FROM term WHERE kind = ? AND text = ?"},
      Text{writer.insert_term_, "INSERT INTO term(kind, text) VALUES(?, ?)"},
      Text{writer.find_boot_, "SELECT key FROM boot WHERE boot_id = ?"},
      Text{writer.insert_boot_, "INSERT INTO boot(boot_id) VALUES(?)"},
      Text{writer.count_kills_, "UPDATE boot SET kills = kills + ? WHERE key = ?"},
  };
  for (const Text& text : texts) {
    TRY(text.statement, database.prepare(text.sql));
  }
  return writer;
}

Result<std::size_t> Writer::put(std::span<const Incident> incidents) {
  bool news = false;
  for (std::size_t i = 0; i < incidents.size() && !news; ++i) {
    TRY(news, is_news(incidents[i]));
  }
  if (!news) return 0;
  const std::int64_t last_seq = last_seq_;
  std::size_t written = 0;
  const auto write_all = [&]() -> Status {
    TRY(auto transaction, Transaction::begin(*database_));
    for (const Incident& incident : incidents) {
      TRY(const auto known, find(incident));
      if (known && known->revision >= incident.revision) continue;
      CHECK_OK(write(incident, known));
      ++written;
    }
    return transaction.commit();
  };
  if (const Status status = write_all(); !status) {
    // What was learnt in a transaction that never was.
    last_seq_ = last_seq;
    forget_names();
    boot_ = {};
    return tl::make_unexpected(status.error());
  }
  return written;
}

Result<bool> Writer::is_news(const Incident& incident) {
  TRY(const auto known, find(incident));
  return !known || known->revision < incident.revision;
}

Result<std::optional<Writer::Known>> Writer::find(const Incident& incident) {
  TRY(const bool row, find_.bind(1, incident.id).step());
  if (!row) return std::nullopt;
  Known known{.key = find_.integer(0),
              .revision = static_cast<std::uint32_t>(find_.integer(1)),
              .kills = static_cast<std::uint64_t>(find_.integer(3)),
              .listed = {.time_ns = find_.integer(2), .subjects = std::string(find_.text(4))}};
  find_.reset();
  return known;
}

Status Writer::write(const Incident& incident, const std::optional<Known>& known) {
  TRY(const auto boot, boot_key(incident.host.boot_id));
  TRY(const auto subjects, encoded_subjects(incident));
  const Kills kills{.time_ns = incident.time_unix_ns, .subjects = subjects};
  if (!known) {
    TRY(const auto key, insert(incident, boot, subjects));
    CHECK_OK(add(kills, key));
    return count_kills(boot, counted_kills(incident), 0);
  }
  if (known->listed != kills) {
    CHECK_OK(remove(known->listed, known->key));
    CHECK_OK(add(kills, known->key));
  }
  CHECK_OK(update(incident, *known, subjects));
  return count_kills(boot, counted_kills(incident), known->kills);
}

Status Writer::add(const Kills& kills, std::int64_t key) {
  for (const std::int64_t subject : decode_ids(kills.subjects))
    CHECK_OK(insert_kill_.bind(1, subject).bind(2, kills.time_ns).bind(3, key).run());
  return {};
}

Status Writer::remove(const Kills& kills, std::int64_t key) {
  for (const std::int64_t subject : decode_ids(kills.subjects))
    CHECK_OK(delete_kill_.bind(1, subject).bind(2, kills.time_ns).bind(3, key).run());
  return {};
}

Result<std::int64_t> Writer::insert(const Incident& incident, std::int64_t boot,
                                    const std::string& subjects) {
  const std::string json = packer_.pack(to_json(incident));
  CHECK_OK(insert_.bind(1, ++last_seq_)
               .bind(2, incident.id)
               .bind(3, std::int64_t{incident.revision})
               .bind(4, incident.time_unix_ns)
               .bind(5, boot)
               .bind(6, static_cast<std::int64_t>(incident.monotonic_ns))
               .bind(7, static_cast<std::int64_t>(counted_kills(incident)))
               .bind_bytes(8, subjects)
               .bind_bytes(9, json)
               .run());
  return database_->last_rowid();
}

Status Writer::update(const Incident& incident, const Known& known, const std::string& subjects) {
  const std::string json = packer_.pack(to_json(incident));
  return update_.bind(1, ++last_seq_)
      .bind(2, std::int64_t{incident.revision})
      .bind(3, incident.time_unix_ns)
      .bind(4, static_cast<std::int64_t>(counted_kills(incident)))
      .bind_bytes(5, subjects)
      .bind_bytes(6, json)
      .bind(7, known.key)
      .run();
}

Result<std::int64_t> Writer::boot_key(const std::string& boot_id) {
  if (boot_.second != 0 && boot_.first == boot_id) return boot_.second;
  TRY(const bool row, find_boot_.bind(1, boot_id).step());
  std::int64_t key = 0;
  if (row) {
    key = find_boot_.integer(0);
    find_boot_.reset();
  } else {
    CHECK_OK(insert_boot_.bind(1, boot_id).run());
    key = database_->last_rowid();
  }
  boot_ = {boot_id, key};
  return key;
}

Status Writer::count_kills(std::int64_t boot, std::uint64_t kills, std::uint64_t before) {
  if (kills == before) return {};
  const auto more = static_cast<std::int64_t>(kills) - static_cast<std::int64_t>(before);
  return count_kills_.bind(1, more).bind(2, boot).run();
}

Result<std::int64_t> Writer::term_id(const Term& term) {
  const auto remembered = terms_.find({term.kind, term.text});
  if (remembered != terms_.end()) return remembered->second;
  const auto kind = static_cast<std::int64_t>(term.kind);
  TRY(const bool row, find_term_.bind(1, kind).bind_bytes(2, term.text).step());
  std::int64_t id = 0;
  if (row) {
    id = find_term_.integer(0);
    find_term_.reset();
  } else {
    CHECK_OK(insert_term_.bind(1, kind).bind_bytes(2, term.text).run());
    id = database_->last_rowid();
  }
  if (terms_.size() >= kNamesRemembered) terms_.clear();
  terms_[{term.kind, term.text}] = id;
  return id;
}

Result<std::int64_t> Writer::subject_id(const std::vector<Term>& terms) {
  std::vector<std::int64_t> ids;
  for (const Term& term : terms) {
    TRY(const auto id, term_id(term));
    ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  const std::string encoded = encode_ids(ids);
  const auto remembered = subjects_.find(encoded);
  if (remembered != subjects_.end()) return remembered->second;
  TRY(const bool row, find_subject_.bind_bytes(1, encoded).step());
  std::int64_t subject = 0;
  if (row) {
    subject = find_subject_.integer(0);
    find_subject_.reset();
  } else {
    CHECK_OK(insert_subject_.bind_bytes(1, encoded).run());
    subject = database_->last_rowid();
    for (const std::int64_t id : ids)
      CHECK_OK(insert_subject_term_.bind(1, id).bind(2, subject).run());
  }
  if (subjects_.size() >= kNamesRemembered) subjects_.clear();
  subjects_[encoded] = subject;
  return subject;
}

Result<std::string> Writer::encoded_subjects(const Incident& incident) {
  std::vector<std::int64_t> subjects;
  for (const std::vector<Term>& terms : terms_of(incident)) {
    TRY(const auto subject, subject_id(terms));
    subjects.push_back(subject);
  }
  return encode_ids(subjects);
}

}  // namespace oomwitness
