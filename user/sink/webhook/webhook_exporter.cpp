// SPDX-License-Identifier: BSD-2-Clause
#include "sink/webhook/webhook_exporter.h"

#include <utility>

#include "sink/secret_file.h"

namespace oomwitness {

WebhookExporter::WebhookExporter(std::string name, WebhookOptions options,
                                 std::function<std::chrono::nanoseconds()> now)
    : name_(std::move(name)),
      options_(std::move(options)),
      client_(options_.http),
      storm_(options_.interval),
      now_(std::move(now)) {}

ExportOutcome WebhookExporter::send(std::span<const ExportItem> batch,
                                    const std::stop_token& stop) {
  ExportOutcome outcome;
  if (!batch.empty()) taken_ = batch.front().seq - 1;
  bool well = tell_due(outcome, stop);
  for (const ExportItem& item : batch) {
    if (!well) break;
    if (storm_.is_to_be_told(item, now_())) {
      well = tell(digest_of(item), outcome, stop);
      if (!well) break;
      storm_.told(item, now_());
    } else {
      storm_.hold(item);
    }
    taken_ = item.seq;
  }
  outcome.taken = taken_;
  const Opt<std::int64_t> held = storm_.first_held();
  outcome.settled = held ? *held - 1 : taken_;
  if (well) outcome.again_in = storm_.next_due(now_());
  return outcome;
}

bool WebhookExporter::tell_due(ExportOutcome& outcome, const std::stop_token& stop) {
  for (const Digest* digest = storm_.due(now_()); digest != nullptr; digest = storm_.due(now_())) {
    if (!tell(*digest, outcome, stop)) return false;
    storm_.told_due(Digest(*digest), now_());
  }
  return true;
}

bool WebhookExporter::tell(const Digest& digest, ExportOutcome& outcome,
                           const std::stop_token& stop) const {
  constexpr long kOk = 200;
  constexpr long kFirstOther = 300;
  const Result<HttpReply> reply = post(digest, stop);
  if (!reply) {
    outcome.reason = reply.error().message();
    return false;
  }
  if (reply->status >= kOk && reply->status < kFirstOther) {
    outcome.sent += digest.count;
    return true;
  }
  outcome.reason = describe_reply(*reply);
  if (!is_worth_retrying(reply->status)) {
    outcome.rejected += digest.count;
    return true;
  }
  if (reply->retry_after) outcome.again_in = *reply->retry_after;
  return false;
}

Result<HttpReply> WebhookExporter::post(const Digest& digest, const std::stop_token& stop) const {
  HttpRequest request{.url = options_.url,
                      .headers = options_.headers,
                      .body = webhook_body(digest, options_.form, options_.resolve_after)};
  if (!options_.url_file.empty()) {
    TRY(request.url, read_secret(options_.url_file));
  }
  request.headers.emplace_back("Content-Type: application/json");
  if (!options_.bearer_file.empty()) {
    TRY(const std::string token, read_secret(options_.bearer_file));
    request.headers.push_back("Authorization: Bearer " + token);
  }
  return client_.post(request, stop);
}

}  // namespace oomwitness
