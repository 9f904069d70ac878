// SPDX-License-Identifier: BSD-2-Clause
#include "agent/exporters.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <random>
#include <utility>

#include "sink/journal_exporter.h"

namespace oomwitness {
namespace {

constexpr std::uint64_t kRetryNs = 30'000'000'000;

// The store as the workers see it.
class StoreSource final : public ExportSource {
 public:
  explicit StoreSource(Store& store) : store_(store) {}

  Result<std::vector<Stored>> after(std::int64_t seq, std::size_t limit) override {
    TRY(std::vector<StoredIncident> found, store_.after(seq, limit));
    std::vector<Stored> out;
    out.reserve(found.size());
    for (StoredIncident& one : found) out.push_back({one.seq, std::move(one.json)});
    return out;
  }
  Result<std::int64_t> newest() override { return store_.last_seq(); }
  Result<Opt<std::int64_t>> place_of(const std::string& exporter) override {
    return store_.place_of(exporter);
  }
  Status set_place(const std::string& exporter, std::int64_t seq) override {
    return store_.set_place(exporter, seq);
  }

 private:
  Store& store_;
};

std::int64_t now_unix_ns() {
  using std::chrono::nanoseconds;
  return std::chrono::duration_cast<nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::chrono::nanoseconds steady_now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

std::int64_t local_offset_s(std::int64_t unix_s) {
  const std::time_t time = unix_s;
  std::tm parts{};
  return ::localtime_r(&time, &parts) != nullptr ? parts.tm_gmtoff : 0;
}

// Uniform in [0, 1).
std::function<double()> random_source() {
  std::random_device seed;
  return [engine = std::mt19937(seed()),
          spread = std::uniform_real_distribution<double>()]() mutable { return spread(engine); };
}

bool contains(const std::vector<ExporterConfig>& list, const ExporterConfig& wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

}  // namespace

Exporters::Exporters(std::vector<ExporterConfig> config, Surroundings around)
    : config_(std::move(config)),
      around_(std::move(around)),
      source_(std::make_unique<StoreSource>(around_.store)),
      start_unix_s_(static_cast<double>(now_unix_ns()) / 1e9) {}

Exporters::~Exporters() {
  stop();
}

void Exporters::start() {
  forget_removed();
  start_missing();
}

void Exporters::stored(std::int64_t newest) {
  for (Running& one : running_) one.worker->wake(newest);
}

void Exporters::reload(ConfigFile& file) {
  std::vector<ExporterConfig> fresh = read_exporters(file, around_.state_folder);
  stop_all_but(fresh);
  config_ = std::move(fresh);
  for (Running& one : running_) one.worker->reopen();
  forget_removed();
  failing_.clear();
  start_missing();
}

void Exporters::turn(std::uint64_t now_ns) {
  if (!retry_at_ns_ || *retry_at_ns_ > now_ns) return;
  start_missing();
}

void Exporters::stop() {
  stop_all_but({});
}

void Exporters::start_missing() {
  retry_at_ns_.reset();
  for (const ExporterConfig& config : config_) {
    const bool runs = std::any_of(running_.begin(), running_.end(), [&](const Running& one) {
      return one.config.name == config.name;
    });
    if (runs) continue;
    Result<std::unique_ptr<Exporter>> exporter = make(config);
    if (!exporter) {
      if (failing_.insert(config.name).second)
        around_.log.say(Severity::kError,
                        std::move(exporter).error().during("exporter " + config.name));
      retry_at_ns_ = static_cast<std::uint64_t>(steady_now().count()) + kRetryNs;
      continue;
    }
    ExportContext context{
        .source = *source_,
        .backoff = config.backoff,
        .random = random_source(),
        .warn = [&log =
                     around_.log](const std::string& line) { log.say(Severity::kWarning, line); },
        .backfill = config.backfill};
    Running one{config, std::make_unique<ExportWorker>(std::move(context), *std::move(exporter))};
    const std::lock_guard lock(mutex_);
    running_.push_back(std::move(one));
  }
}

Result<std::unique_ptr<Exporter>> Exporters::make(const ExporterConfig& config) {
  const std::string& name = config.name;
  if (const auto* file = std::get_if<JsonFileOptions>(&config.options))
    return std::make_unique<JsonFile>(name, *file);
  if (const auto* syslog = std::get_if<SyslogOptions>(&config.options)) {
    SyslogStyle style = syslog->style;
    style.pid = static_cast<std::uint32_t>(::getpid());
    return std::make_unique<SyslogExporter>(name, syslog->target, style, local_offset_s);
  }
  if (const auto* otlp = std::get_if<OtlpOptions>(&config.options))
    return std::make_unique<OtlpExporter>(name, *otlp, now_unix_ns);
  if (const auto* webhook = std::get_if<WebhookOptions>(&config.options))
    return std::make_unique<WebhookExporter>(name, *webhook, steady_now);
  if (const auto* prometheus = std::get_if<PrometheusOptions>(&config.options))
    return make_prometheus(config, *prometheus);
  return std::make_unique<JournalExporter>(name, journal_sender());
}

Result<std::unique_ptr<Exporter>> Exporters::make_prometheus(const ExporterConfig& config,
                                                             const PrometheusOptions& options) {
  TRY(std::unique_ptr<PrometheusExporter> exporter,
      PrometheusExporter::start(config.name, options, [this] { return scrape_figures(); }));
  if (!exporter->complaint().empty())
    around_.log.say(Severity::kWarning, "exporter " + config.name + ": " + exporter->complaint());
  if (exporter->server().is_open_to_all())
    around_.log.say(Severity::kWarning, "exporter " + config.name +
                                            ": anybody in the network can read the metrics: set "
                                            "basic_auth_file, or listen on loopback");
  return exporter;
}

void Exporters::stop_all_but(const std::vector<ExporterConfig>& kept) {
  std::vector<Running> stopping;
  {
    const std::lock_guard lock(mutex_);
    const auto gone =
        std::stable_partition(running_.begin(), running_.end(),
                              [&](const Running& one) { return contains(kept, one.config); });
    std::move(gone, running_.end(), std::back_inserter(stopping));
    running_.erase(gone, running_.end());
  }
  // Not under the lock: the metrics' thread, which is waited for, may be waiting for it.
  for (Running& one : stopping) one.worker->stop();
}

// The place of an exporter that is no more would keep incidents from being removed.
void Exporters::forget_removed() {
  const auto known = around_.store.exporters();
  if (!known) return;
  for (const std::string& name : *known) {
    const bool wanted = std::any_of(config_.begin(), config_.end(),
                                    [&](const ExporterConfig& one) { return one.name == name; });
    if (wanted) continue;
    if (const Status forgotten = around_.store.forget_place(name); !forgotten)
      around_.log.say(Severity::kWarning, forgotten.error());
  }
}

MetricsFigures Exporters::scrape_figures() {
  const AgentFigures& now = around_.figures;
  MetricsFigures out{.version = around_.version, .start_unix_s = start_unix_s_};
  // Kernels before 4.13 do not count, and at the start nobody has looked.
  if (now.kills_counted > 0) {
    out.kernel_kills = now.kills_counted;
    out.described_kills = now.kills_described;
  }
  out.cgroup_undescribed = now.cgroup_kills_undescribed;
  out.lost_events = now.lost_events;
  out.log_lost = now.log_lost;
  out.log_only = now.missed;
  out.earlier_boots = now.earlier_boots;
  out.stored = now.stored;
  out.write_failures = now.write_failures;
  out.given_up = now.given_up;
  out.removed = now.removed;
  out.removed_unsent = now.removed_unsent;
  out.waiting = now.waiting;
  out.store_bytes = now.store_bytes;
  const std::lock_guard lock(mutex_);
  for (const Running& one : running_) {
    const ExportStats stats = one.worker->stats();
    out.exporters.push_back(
        {one.config.name, stats.sent, stats.failed, stats.rejected, stats.behind});
  }
  return out;
}

}  // namespace oomwitness
