// SPDX-License-Identifier: BSD-2-Clause
#include "agent/incident_queue.h"

#include <algorithm>
#include <utility>

namespace oomwitness {

void IncidentQueue::push(Incident incident) {
  const auto earlier = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const Incident& one) { return one.id == incident.id; });
  if (earlier != waiting_.end()) {
    if (earlier->revision < incident.revision) *earlier = std::move(incident);
    return;
  }
  waiting_.push_back(std::move(incident));
  if (waiting_.size() <= most_) return;
  waiting_.pop_front();
  ++given_up_;
}

Result<std::size_t> IncidentQueue::flush(const Put& put) {
  std::size_t written = 0;
  for (; !waiting_.empty(); waiting_.pop_front()) {
    TRY(const bool news, put(waiting_.front()));
    if (news) ++written;
  }
  return written;
}

}  // namespace oomwitness
