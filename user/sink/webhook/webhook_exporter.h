// SPDX-License-Identifier: BSD-2-Clause
// Incidents to people, by a webhook: at most one message for each cause and interval.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "sink/exporter.h"
#include "sink/http/http_client.h"
#include "sink/webhook/storm.h"
#include "sink/webhook/webhook_message.h"

namespace oomwitness {

struct WebhookOptions {
  std::string url;
  // A file with the address, which for Slack is the secret itself; read before each message. One of
  // the two is given.
  std::string url_file;
  WebhookForm form = WebhookForm::kGeneric;
  std::chrono::nanoseconds interval = std::chrono::minutes(5);
  std::chrono::nanoseconds resolve_after = std::chrono::minutes(15);  // kAlertmanager
  std::vector<std::string> headers;                                   // "Name: value"
  std::string bearer_file;                                            // as OtlpOptions::bearer_file
  HttpOptions http;

  bool operator==(const WebhookOptions&) const = default;
};

// Keeps its place before what it holds: after a crash the held incidents come again and are counted
// again.
class WebhookExporter : public Exporter {
 public:
  // `now`: a clock that does not go back.
  WebhookExporter(std::string name, WebhookOptions options,
                  std::function<std::chrono::nanoseconds()> now);

  const std::string& name() const override { return name_; }
  ExportOutcome send(std::span<const ExportItem> batch, const std::stop_token& stop) override;

 private:
  Result<HttpReply> post(const Digest& digest, const std::stop_token& stop) const;
  // False: `outcome` says why, and when to come again.
  bool tell(const Digest& digest, ExportOutcome& outcome, const std::stop_token& stop) const;
  bool tell_due(ExportOutcome& outcome, const std::stop_token& stop);

  std::string name_;
  WebhookOptions options_;
  HttpClient client_;
  Storm storm_;
  std::int64_t taken_ = 0;
  std::function<std::chrono::nanoseconds()> now_;
};

}  // namespace oomwitness
