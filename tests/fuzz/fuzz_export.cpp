// SPDX-License-Identifier: BSD-2-Clause
// What exporters read from outside: a receiver's reply, the counters kept over restarts, an
// address; and what they write of a record with whatever is in it. The first byte chooses.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "incident/json.h"
#include "sink/otlp/otlp_exporter.h"
#include "sink/otlp/otlp_request.h"
#include "sink/prometheus/kill_counts.h"
#include "sink/prometheus/metrics.h"
#include "sink/syslog_exporter.h"
#include "sink/webhook/webhook_message.h"

namespace oomwitness {
namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

bool is_printable_ascii(const std::string& text) {
  for (const char c : text)
    if (c < ' ' || c > '~') return false;
  return true;
}

void read_reply(const std::string& body) {
  const std::vector<ExportItem> batch(3);
  const ExportOutcome outcome = otlp_outcome(batch, {.status = 200, .body = body});
  must(outcome.sent + outcome.rejected == batch.size());
  must(is_printable_ascii(outcome.reason));
}

void read_state(const std::string& state) {
  const auto counts = KillCounts::from_state(state);
  if (!counts) return;
  must(counts->workloads().series().size() <= CountFamily::kMostSeries);
  // What was read is what is written: it can be read again.
  const auto again = KillCounts::from_state(counts->to_state());
  must(again && again->to_state() == counts->to_state());
  must(!metrics_page(*counts, {}).empty());
}

void write_all_forms(const std::string& json) {
  auto incident = incident_from_json(json);
  if (!incident) return;
  const ExportItem item{.seq = 1, .json = json, .incident = *std::move(incident)};
  for (const SyslogFormat format : {SyslogFormat::kRfc5424, SyslogFormat::kLocal})
    must(is_printable_ascii(syslog_message(item.incident, {.format = format})));
  for (const WebhookForm form :
       {WebhookForm::kGeneric, WebhookForm::kSlack, WebhookForm::kAlertmanager}) {
    const std::string body = webhook_body(digest_of(item), form, std::chrono::minutes(1));
    must(is_printable_ascii(body) && nlohmann::json::accept(body));
  }
  const std::vector<ExportItem> batch{item};
  must(!otlp_request(batch, 1).empty());
}

}  // namespace
}  // namespace oomwitness

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace oomwitness;
  if (size == 0) return 0;
  const std::string rest(bytes + 1, bytes + size);
  switch (bytes[0]) {
    case 'r': read_reply(rest); break;
    case 's': read_state(rest); break;
    case 't': static_cast<void>(parse_syslog_target(rest)); break;
    default: write_all_forms(rest);
  }
  return 0;
}
