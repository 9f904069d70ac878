// SPDX-License-Identifier: BSD-2-Clause
#include "assemble/docket.h"

#include "assemble/completion.h"

namespace oomwitness {

namespace {

constexpr std::size_t kDroppedRemembered = 4096;

}  // namespace

CaseFile& Docket::open(DecisionId id, std::uint64_t at_ns) {
  CaseFile& file = files_[next_number_];
  file.number = next_number_++;
  file.id = id;
  file.opened_ns = now_ns_;
  file.first_at_ns = at_ns;
  file.losses_before = losses_reported_;
  if (id != 0) by_id_[id] = file.number;
  return file;
}

CaseFile* Docket::find(DecisionId id) {
  const auto found = by_id_.find(id);
  return id == 0 || found == by_id_.end() ? nullptr : &files_.at(found->second);
}

CaseFile* Docket::find_or_open(DecisionId id, std::uint64_t at_ns) {
  if (CaseFile* file = find(id)) return file;
  return dropped_.contains(id) ? nullptr : &open(id, at_ns);
}

void Docket::touch(CaseFile& file) {
  if (file.written && !file.news_since) file.news_since = now_ns_;
  reschedule(file);
}

void Docket::reschedule(CaseFile& file) {
  if (file.due_ns) agenda_.erase({*file.due_ns, file.number});
  file.due_ns = due(file, config_);
  if (file.due_ns) agenda_.insert({*file.due_ns, file.number});
}

std::optional<std::uint64_t> Docket::first_due() const {
  if (agenda_.empty()) return std::nullopt;
  return agenda_.begin()->first;
}

CaseFile* Docket::first_on_agenda() {
  return agenda_.empty() ? nullptr : &files_.at(agenda_.begin()->second);
}

void Docket::close(CaseFile& file, std::uint64_t now_ns) {
  file.closed_ns = now_ns;
  closed_.emplace_back(now_ns, file.number);
}

CaseFile* Docket::oldest_closed() {
  for (; !closed_.empty(); closed_.pop_front()) {
    const auto found = files_.find(closed_.front().second);
    // A case that got news since is in the list again once that is written.
    if (found == files_.end() || found->second.closed_ns != closed_.front().first) continue;
    if (found->second.news_since) continue;
    return &found->second;
  }
  return nullptr;
}

void Docket::prune(std::uint64_t now_ns, std::uint64_t keep_ns) {
  while (const CaseFile* file = oldest_closed()) {
    if (now_ns < *file->closed_ns || now_ns - *file->closed_ns < keep_ns) return;
    drop(*file);
  }
}

void Docket::drop(const CaseFile& file) {
  if (file.due_ns) agenda_.erase({*file.due_ns, file.number});
  if (file.id != 0) {
    by_id_.erase(file.id);
    dropped_.insert(file.id);
    dropped_order_.push_back(file.id);
    if (dropped_order_.size() > kDroppedRemembered) {
      dropped_.erase(dropped_order_.front());
      dropped_order_.pop_front();
    }
  }
  files_.erase(file.number);
}

}  // namespace oomwitness
