// SPDX-License-Identifier: BSD-2-Clause
#include "sink/otlp/otlp_exporter.h"

#include <algorithm>
#include <utility>

#include "sink/otlp/otlp_request.h"
#include "sink/secret_file.h"
#include "support/text.h"

namespace oomwitness {

std::string otlp_logs_url(const std::string& endpoint) {
  const std::size_t host = endpoint.find("://");
  const std::size_t path = endpoint.find('/', host == std::string::npos ? 0 : host + 3);
  if (path == std::string::npos) return endpoint + "/v1/logs";
  return path + 1 == endpoint.size() ? endpoint + "v1/logs" : endpoint;
}

OtlpExporter::OtlpExporter(std::string name, OtlpOptions options,
                           std::function<std::int64_t()> now_unix_ns)
    : name_(std::move(name)),
      options_(std::move(options)),
      url_(otlp_logs_url(options_.endpoint)),
      client_(options_.http),
      now_unix_ns_(std::move(now_unix_ns)) {}

Result<HttpReply> OtlpExporter::post(std::span<const ExportItem> batch,
                                     const std::stop_token& stop) const {
  HttpRequest request{
      .url = url_, .headers = options_.headers, .body = otlp_request(batch, now_unix_ns_())};
  request.headers.emplace_back("Content-Type: application/x-protobuf");
  if (options_.gzip) {
    TRY(request.body, gzip(request.body));
    request.headers.emplace_back("Content-Encoding: gzip");
  }
  if (!options_.bearer_file.empty()) {
    TRY(const std::string token, read_secret(options_.bearer_file));
    request.headers.push_back("Authorization: Bearer " + token);
  }
  return client_.post(request, stop);
}

ExportOutcome OtlpExporter::send(std::span<const ExportItem> batch, const std::stop_token& stop) {
  const Result<HttpReply> reply = post(batch, stop);
  if (!reply) return try_later(batch, 0, reply.error().message());
  return otlp_outcome(batch, *reply);
}

ExportOutcome otlp_outcome(std::span<const ExportItem> batch, const HttpReply& reply) {
  constexpr long kOk = 200;
  constexpr long kFirstOther = 300;
  if (reply.status >= kOk && reply.status < kFirstOther) {
    ExportOutcome outcome = all_sent(batch);
    const Result<OtlpPartialSuccess> partial = parse_otlp_response(reply.body);
    // A collector that answers in a way of its own has taken them all the same.
    if (!partial || partial->rejected <= 0) return outcome;
    outcome.rejected =
        std::min(static_cast<std::uint64_t>(partial->rejected), std::uint64_t{batch.size()});
    outcome.sent -= outcome.rejected;
    outcome.reason = "the collector rejects log records: " +
                     escape_for_terminal(partial->message, Charset::kAscii);
    return outcome;
  }
  if (!is_worth_retrying(reply.status)) return refused(batch, describe_reply(reply));
  ExportOutcome outcome = try_later(batch, 0, describe_reply(reply));
  if (reply.retry_after) outcome.again_in = *reply.retry_after;
  return outcome;
}

}  // namespace oomwitness
