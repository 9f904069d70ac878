// SPDX-License-Identifier: BSD-2-Clause
#include "sink/prometheus/metrics.h"

#include <array>
#include <utility>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "support/text.h"

namespace oomwitness {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr double kNsPerSecond = 1e9;

class Page {
 public:
  void counters(const char* name, const char* help, const CountFamily& counts) {
    MetricFamily& family = begin(name, help, MetricType::Counter);
    for (const auto& [values, count] : counts.series()) {
      ClientMetric metric;
      for (std::size_t i = 0; i < values.size(); ++i)
        metric.label.push_back({std::string(counts.labels()[i]), values[i]});
      metric.counter.value = static_cast<double>(count);
      family.metric.push_back(std::move(metric));
    }
  }
  void counter(const char* name, const char* help, const Opt<std::uint64_t>& value) {
    if (!value) return;
    ClientMetric metric;
    metric.counter.value = static_cast<double>(*value);
    begin(name, help, MetricType::Counter).metric.push_back(std::move(metric));
  }
  void gauge(const char* name, const char* help, const Opt<double>& value) {
    if (!value) return;
    ClientMetric metric;
    metric.gauge.value = *value;
    begin(name, help, MetricType::Gauge).metric.push_back(std::move(metric));
  }
  MetricFamily& begin(const char* name, const char* help, MetricType type) {
    return families_.emplace_back(MetricFamily{name, help, type, {}});
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
};

Opt<double> number(const Opt<std::uint64_t>& value) {
  return value ? Opt<double>(static_cast<double>(*value)) : std::nullopt;
}

void add_exporters(Page& page, const MetricsFigures& figures) {
  using Figures = MetricsFigures::ExporterFigures;
  struct Told {
    const char* name;
    const char* help;
    std::uint64_t Figures::*value;
  };
  constexpr std::array<Told, 3> kTold{{
      {"oomwitness_exporter_sent_total", "Incidents that an exporter delivered.", &Figures::sent},
      {"oomwitness_exporter_failures_total", "Attempts after which incidents are to be sent again.",
       &Figures::failed},
      {"oomwitness_exporter_rejected_total", "Incidents that a receiver refuses for good.",
       &Figures::rejected},
  }};
  const auto metric_of = [](const Figures& exporter) {
    ClientMetric metric;
    metric.label.push_back({"exporter", escape_for_terminal(exporter.name, Charset::kAscii)});
    return metric;
  };
  for (const Told& told : kTold) {
    MetricFamily& family = page.begin(told.name, told.help, MetricType::Counter);
    for (const Figures& exporter : figures.exporters) {
      ClientMetric metric = metric_of(exporter);
      metric.counter.value = static_cast<double>(exporter.*told.value);
      family.metric.push_back(std::move(metric));
    }
  }
  MetricFamily& family =
      page.begin("oomwitness_exporter_behind",
                 "Writes of the store that an exporter has not had yet.", MetricType::Gauge);
  for (const Figures& exporter : figures.exporters) {
    ClientMetric metric = metric_of(exporter);
    metric.gauge.value = static_cast<double>(exporter.behind);
    family.metric.push_back(std::move(metric));
  }
}

void add_agent(Page& page, const MetricsFigures& figures) {
  MetricFamily& build =
      page.begin("oomwitness_build_info", "1; the version is in the label.", MetricType::Gauge);
  ClientMetric metric;
  metric.label.push_back({"version", figures.version});
  metric.gauge.value = 1;
  build.metric.push_back(std::move(metric));
  page.gauge("oomwitness_start_time_seconds", "When the agent started, in seconds since 1970.",
             figures.start_unix_s);
  page.counter("oomwitness_kernel_oom_kills_total",
               "OOM kills the kernel counted since the boot (oom_kill of /proc/vmstat).",
               figures.kernel_kills);
  page.counter("oomwitness_described_oom_kills_total",
               "OOM kills of this boot that the store has or had.", figures.described_kills);
  if (figures.kernel_kills && figures.described_kills)
    page.gauge(
        "oomwitness_undescribed_oom_kills",
        "Kills the kernel counted and no incident describes. Below zero: described twice.",
        static_cast<double>(*figures.kernel_kills) - static_cast<double>(*figures.described_kills));
  page.gauge("oomwitness_cgroup_undescribed_oom_kills",
             "Kills that cgroups of described kills counted (memory.events) and no incident "
             "describes, since the agent started.",
             number(figures.cgroup_undescribed));
  page.counter("oomwitness_lost_events_total",
               "Records lost between the kernel and the agent since it started.",
               figures.lost_events);
  page.counter("oomwitness_log_lost_messages_total",
               "Messages of the kernel's log that were overwritten before they were read.",
               figures.log_lost);
  page.counter("oomwitness_log_only_oom_kills_total",
               "Kills that the hooks missed and the kernel's log told of.", figures.log_only);
  page.counter("oomwitness_earlier_boot_oom_kills_total",
               "Kills of earlier boots that nobody saw and the journal told of.",
               figures.earlier_boots);
}

void add_store(Page& page, const MetricsFigures& figures) {
  page.counter("oomwitness_store_writes_total", "Incidents and updates written.", figures.stored);
  page.counter("oomwitness_store_write_failures_total",
               "Attempts to write that the disk or the file refused.", figures.write_failures);
  page.counter("oomwitness_store_given_up_total",
               "Incidents that could not be written and that there was no room for any more.",
               figures.given_up);
  page.counter("oomwitness_store_removed_total", "Incidents removed by age or size.",
               figures.removed);
  page.counter("oomwitness_store_removed_unsent_total",
               "Of them, those that some exporter had not had.", figures.removed_unsent);
  page.gauge("oomwitness_store_waiting", "Incidents in memory that are to be written.",
             number(figures.waiting));
  page.gauge("oomwitness_store_bytes", "Size of the store.", number(figures.store_bytes));
}

}  // namespace

std::string metrics_page(const KillCounts& counts, const MetricsFigures& figures) {
  Page page;
  page.counters("oomwitness_oom_kills_total",
                "OOM kills described, one for each decision, whatever the number of victims.",
                counts.kills());
  page.counters("oomwitness_victims_total", "Processes killed for want of memory.",
                counts.victims());
  page.counters("oomwitness_workload_victims_total",
                "The same by what they belonged to; \"other\" beyond 200 of them.",
                counts.workloads());
  const Opt<std::int64_t> last = counts.last_kill_unix_ns();
  page.gauge("oomwitness_last_kill_timestamp_seconds",
             "When the last kill was, in seconds since 1970.",
             last ? Opt<double>(static_cast<double>(*last) / kNsPerSecond) : std::nullopt);
  page.counter("oomwitness_incident_lost_events_total",
               "Records that are missing from the incidents described.", counts.lost_events());
  add_agent(page, figures);
  add_store(page, figures);
  add_exporters(page, figures);
  return page.text();
}

}  // namespace oomwitness
