// SPDX-License-Identifier: BSD-2-Clause
#include "sink/webhook/webhook_message.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sink/export_fields.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string summary_of(const Digest& digest) {
  const Opt<Diagnosis>& diagnosis = digest.latest.incident.diagnosis;
  return diagnosis ? safe_sentence(diagnosis->summary) : "";
}

// "OOM kill: ...", or how many there were and the last of them.
std::string headline_of(const Digest& digest) {
  std::string headline = export_headline(digest.latest.incident);
  if (digest.count == 1) return headline;
  const std::int64_t span = digest.last_unix_ns - digest.first_unix_ns;
  return fmt::format("{} more OOM kills with cause {} within {}; the last: {}",
                     thousands(digest.count), escape_for_terminal(digest.cause, Charset::kAscii),
                     human_duration(static_cast<std::uint64_t>(span > 0 ? span : 0)), headline);
}

std::string host_of(const Digest& digest) {
  return escape_for_terminal(digest.latest.incident.host.name);
}

Json generic(const Digest& digest) {
  Json out;
  out["schema"] = "oomwitness/webhook/v1";
  out["cause"] = escape_for_terminal(digest.cause);
  out["severity"] = severity_name(severity_of(digest.latest.incident));
  out["count"] = digest.count;
  if (digest.first_unix_ns != 0) out["first"] = rfc3339_utc(digest.first_unix_ns);
  if (digest.last_unix_ns != 0) out["last"] = rfc3339_utc(digest.last_unix_ns);
  if (!digest.latest.incident.host.name.empty()) out["host"] = host_of(digest);
  out["headline"] = headline_of(digest);
  if (const std::string summary = summary_of(digest); !summary.empty()) out["summary"] = summary;
  // What the store has is what to_json made; a value that is not stays a text.
  Json incident = Json::parse(digest.latest.json, nullptr, false);
  out["incident"] = incident.is_discarded() ? Json(digest.latest.json) : std::move(incident);
  return out;
}

// The three that Slack's markup gives a meaning: "<!channel>" in a name calls nobody.
std::string slack_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

Json slack_text(const std::string& text) {
  constexpr std::size_t kLongest = 3000;  // of a text object
  return {{"type", "plain_text"}, {"text", text.substr(0, kLongest)}, {"emoji", false}};
}

Json slack(const Digest& digest) {
  const std::string headline = headline_of(digest);
  Json blocks = Json::array();
  blocks.push_back({{"type", "section"}, {"text", slack_text(headline)}});
  std::string more = summary_of(digest);
  const std::string host = host_of(digest);
  if (!host.empty()) more += (more.empty() ? "" : "\n") + ("host " + host);
  more += (more.empty() ? "" : "\n") +
          ("oomwitness explain " + escape_for_terminal(digest.latest.incident.id, Charset::kAscii));
  blocks.push_back({{"type", "context"}, {"elements", Json::array({slack_text(more)})}});
  return {{"text", slack_escaped(headline)}, {"mrkdwn", false}, {"blocks", std::move(blocks)}};
}

// Labels decide which alerts are the same one: what differs with every kill is an annotation.
Json alertmanager(const Digest& digest, std::chrono::nanoseconds resolve_after) {
  const Incident& incident = digest.latest.incident;
  Json labels{{"alertname", "OOMKill"},
              {"cause", escape_for_terminal(digest.cause)},
              {"severity", severity_name(severity_of(incident))}};
  if (!incident.host.name.empty()) labels["instance"] = host_of(digest);
  if (incident.scope.constraint)
    labels["constraint"] = escape_for_terminal(*incident.scope.constraint);
  if (const Victim* const victim = chosen_victim(incident)) {
    if (victim->unit) labels["unit"] = escape_for_terminal(*victim->unit);
    if (victim->pod && !victim->pod->ns.empty())
      labels["namespace"] = escape_for_terminal(victim->pod->ns);
  }
  Json annotations{{"summary", headline_of(digest)},
                   {"count", std::to_string(digest.count)},
                   {"incident", escape_for_terminal(incident.id)}};
  if (const std::string summary = summary_of(digest); !summary.empty())
    annotations["description"] = summary;
  Json alert{{"labels", std::move(labels)}, {"annotations", std::move(annotations)}};
  if (digest.last_unix_ns != 0) {
    alert["startsAt"] = rfc3339_utc(digest.first_unix_ns, 3);
    alert["endsAt"] = rfc3339_utc(digest.last_unix_ns + resolve_after.count(), 3);
  }
  return Json::array({std::move(alert)});
}

}  // namespace

Digest digest_of(const ExportItem& item) {
  return {.cause = cause_of(item.incident),
          .count = 1,
          .first_seq = item.seq,
          .first_unix_ns = item.incident.time_unix_ns,
          .last_unix_ns = item.incident.time_unix_ns,
          .latest = item};
}

std::string webhook_body(const Digest& digest, WebhookForm form,
                         std::chrono::nanoseconds resolve_after) {
  switch (form) {
    case WebhookForm::kGeneric: return dumped(generic(digest));
    case WebhookForm::kSlack: return dumped(slack(digest));
    case WebhookForm::kAlertmanager: break;
  }
  return dumped(alertmanager(digest, resolve_after));
}

}  // namespace oomwitness
