// SPDX-License-Identifier: BSD-2-Clause
// The exporters as a program, for tests with the real receivers: sends the sample incidents, as if
// they had just happened.
//   export_tool metrics STATE_FILE   prints the port and serves until stdin ends
//   export_tool otlp URL             sends one batch
//   export_tool journal              the same, to the journal of this host
//   export_tool syslog TARGET
//   export_tool alertmanager URL     the first incident of each cause
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "export_items.h"
#include "sink/journal_exporter.h"
#include "sink/otlp/otlp_exporter.h"
#include "sink/prometheus/prometheus_exporter.h"
#include "sink/syslog_exporter.h"
#include "sink/webhook/webhook_exporter.h"

namespace oomwitness {
namespace {

std::int64_t now_unix_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::vector<ExportItem> batch_of_now() {
  std::vector<ExportItem> batch = sample_batch();
  for (ExportItem& item : batch) {
    item.incident.time_unix_ns = now_unix_ns();
    item = item_of(item.incident, item.seq);
  }
  return batch;
}

int told(const ExportOutcome& outcome) {
  std::printf("sent %llu rejected %llu%s%s\n", static_cast<unsigned long long>(outcome.sent),
              static_cast<unsigned long long>(outcome.rejected), outcome.reason.empty() ? "" : ": ",
              outcome.reason.c_str());
  return outcome.reason.empty() ? 0 : 1;
}

int serve_metrics(const std::string& state_file) {
  auto exporter = PrometheusExporter::start(
      "prometheus", {.server = {.listen = "127.0.0.1:0"}, .state_file = state_file}, [] {
        return MetricsFigures{.version = "test",
                              .start_unix_s = static_cast<double>(now_unix_ns()) / 1e9,
                              .kernel_kills = 12,
                              .described_kills = 10,
                              .lost_events = 0,
                              .log_lost = 0,
                              .log_only = 0,
                              .stored = 10,
                              .write_failures = 0,
                              .given_up = 0,
                              .removed = 0,
                              .removed_unsent = 0,
                              .waiting = 0,
                              .store_bytes = 4096,
                              .exporters = {{.name = "otlp", .sent = 10}}};
      });
  if (!exporter) {
    std::fprintf(stderr, "%s\n", exporter.error().message().c_str());
    return 1;
  }
  (*exporter)->send(batch_of_now(), {});
  std::printf("%u\n", static_cast<unsigned>((*exporter)->server().port()));
  std::fflush(stdout);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) continue;
  return 0;
}

int run(std::span<char*> arguments) {
  const std::string what = arguments.size() > 1 ? arguments[1] : "";
  const std::string where = arguments.size() > 2 ? arguments[2] : "";
  if (what == "metrics") return serve_metrics(where);
  if (what == "otlp")
    return told(OtlpExporter("otlp", {.endpoint = where}, now_unix_ns).send(batch_of_now(), {}));
  if (what == "alertmanager") {
    const auto steady_now = [] {
      return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch());
    };
    WebhookExporter webhook("webhook", {.url = where, .form = WebhookForm::kAlertmanager},
                            steady_now);
    return told(webhook.send(batch_of_now(), {}));
  }
  if (what == "journal")
    return told(JournalExporter("journal", journal_sender()).send(batch_of_now(), {}));
  if (what == "syslog") {
    auto target = parse_syslog_target(where);
    if (target)
      return told(SyslogExporter("syslog", *std::move(target), {}, [](std::int64_t) {
                    return std::int64_t{0};
                  }).send(batch_of_now(), {}));
  }
  std::fprintf(
      stderr,
      "usage: export_tool metrics FILE | otlp URL | journal | syslog TARGET | alertmanager URL\n");
  return 2;
}

}  // namespace
}  // namespace oomwitness

int main(int argc, char** argv) {
  return oomwitness::run({argv, static_cast<std::size_t>(argc)});
}
