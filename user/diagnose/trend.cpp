// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/trend.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "diagnose/thresholds.h"
#include "diagnose/words.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using namespace thresholds;

constexpr double kNsPerSecond = 1e9;

// What is read, and of how much.
struct Subject {
  std::string of;
  Series series;
  Opt<std::uint64_t> capacity;
};

Subject subject_of(const Facts& facts) {
  const Incident& incident = *facts.incident;
  if (facts.shortage == Shortage::kCgroup) {
    Series limit = series_of(incident, "limit_usage_bytes");
    if (!limit.empty()) return {"limit", std::move(limit), facts.limit_bytes};
  } else if (Series host = host_used(incident); !host.empty()) {
    return {"host", std::move(host), facts.host.total};
  }
  return {"victim", series_of(incident, "victim_rss_bytes"), facts.capacity};
}

double seconds(std::uint64_t from_ns, std::uint64_t to_ns) {
  return static_cast<double>(to_ns - from_ns) / kNsPerSecond;
}

std::int64_t per_second(double bytes, double in_seconds) {
  return in_seconds > 0 ? std::llround(bytes / in_seconds) : 0;
}

std::uint64_t in_ms(std::uint64_t from_ns, std::uint64_t to_ns) {
  return (to_ns - from_ns) / 1'000'000;
}

// How long, up to the end, it has not been below `bytes`.
std::uint64_t since_at_least(const Series& series, std::uint64_t bytes) {
  auto from = series.rbegin();
  while (from != series.rend() && from->bytes >= bytes) ++from;
  return from == series.rbegin() ? series.back().monotonic_ns : (from - 1)->monotonic_ns;
}

// A straight line through it (least squares), and how much of the movement that line explains.
struct Line {
  double slope = 0;  // bytes a second
  double fit = 0;    // R squared
};

Line line_through(const Series& series) {
  const auto n = static_cast<double>(series.size());
  double mean_t = 0;
  double mean_y = 0;
  for (const Reading& m : series) {
    mean_t += seconds(series.front().monotonic_ns, m.monotonic_ns) / n;
    mean_y += static_cast<double>(m.bytes) / n;
  }
  double tt = 0;
  double ty = 0;
  double yy = 0;
  for (const Reading& m : series) {
    const double t = seconds(series.front().monotonic_ns, m.monotonic_ns) - mean_t;
    const double y = static_cast<double>(m.bytes) - mean_y;
    tt += t * t;
    ty += t * y;
    yy += y * y;
  }
  if (tt == 0 || yy == 0) return {};
  return {ty / tt, ty * ty / (tt * yy)};
}

Opt<Trend> plateau(const Subject& subject) {
  const Series& series = subject.series;
  if (!subject.capacity || *subject.capacity == 0) return std::nullopt;
  const auto full = static_cast<std::uint64_t>(kFullShare * static_cast<double>(*subject.capacity));
  if (series.back().bytes < full) return std::nullopt;
  const std::uint64_t since = since_at_least(series, full);
  const Series on_top(std::find_if(series.begin(), series.end(),
                                   [&](const Reading& r) { return r.monotonic_ns >= since; }),
                      series.end());
  const std::uint64_t end = series.back().monotonic_ns;
  const std::uint64_t whole = end - series.front().monotonic_ns;
  const std::uint64_t lasted = end - since;
  if (lasted < kPlateauFrom ||
      static_cast<double>(lasted) < kPlateauOfWindow * static_cast<double>(whole))
    return std::nullopt;
  return Trend{Growth::kPlateau, subject.of, std::llround(line_through(on_top).slope),
               lasted / 1'000'000};
}

Opt<Trend> rise(const Subject& subject) {
  const Series& series = subject.series;
  const auto lowest =
      std::min_element(series.begin(), series.end(),
                       [](const Reading& a, const Reading& b) { return a.bytes < b.bytes; });
  const Reading& end = series.back();
  const std::uint64_t grown = minus(end.bytes, lowest->bytes);
  const std::uint64_t whole = subject.capacity.value_or(end.bytes);
  if (static_cast<double>(grown) < kRiseOfWhole * static_cast<double>(whole)) return std::nullopt;
  // What it was when the last seconds began.
  const auto late = std::find_if(series.begin(), series.end(), [&](const Reading& m) {
    return end.monotonic_ns - m.monotonic_ns <= kBurstWithin;
  });
  const std::uint64_t lately = minus(end.bytes, late->bytes);
  if (static_cast<double>(lately) >= kBurstOfRise * static_cast<double>(grown)) {
    // From where it began to climb, so that a pause before it does not flatten the slope.
    const auto steep = lately / 20;
    auto from = late;
    while (std::next(from) != series.end() && std::next(from)->bytes <= late->bytes + steep) ++from;
    return Trend{Growth::kBurst, subject.of,
                 per_second(static_cast<double>(minus(end.bytes, from->bytes)),
                            seconds(from->monotonic_ns, end.monotonic_ns)),
                 in_ms(from->monotonic_ns, end.monotonic_ns)};
  }
  const Line line = line_through(series);
  if (line.slope <= 0 || line.fit < kLeakFit) return std::nullopt;
  return Trend{Growth::kLeak, subject.of, std::llround(line.slope),
               in_ms(series.front().monotonic_ns, end.monotonic_ns)};
}

std::string whose(const Facts& facts, const std::string& of) {
  if (of == "limit") return limit_name(facts);
  if (of == "host") return "the host";
  return facts.victim != nullptr ? task_text(*facts.victim) : "the victim";
}

std::string rate(std::int64_t bytes_per_s) {
  const auto magnitude = static_cast<std::uint64_t>(std::abs(bytes_per_s));
  return (bytes_per_s < 0 ? "-" : "") + human_size(magnitude) + "/s";
}

}  // namespace

Series series_of(const Incident& incident, std::string_view value) {
  Series series;
  const std::string name(value);
  for (const HistorySample& sample : incident.history.samples) {
    if (incident.monotonic_ns != 0 && sample.monotonic_ns > incident.monotonic_ns) break;
    const auto found = sample.values.find(name);
    if (found == sample.values.end()) continue;
    // A record whose times go back is broken: what follows is left out.
    if (!series.empty() && sample.monotonic_ns <= series.back().monotonic_ns) break;
    series.push_back({sample.monotonic_ns, found->second});
  }
  return series;
}

Series host_used(const Incident& incident) {
  Series series = series_of(incident, "host_available_bytes");
  if (series.empty()) return series;
  std::uint64_t whole = 0;
  for (const Reading& m : series) whole = std::max(whole, m.bytes);
  const auto total = incident.system.meminfo_bytes.find("MemTotal");
  if (total != incident.system.meminfo_bytes.end()) whole = std::max(whole, total->second);
  for (Reading& m : series) m.bytes = whole - m.bytes;
  return series;
}

Opt<Trend> trend_of(const Facts& facts) {
  const Subject subject = subject_of(facts);
  const Series& series = subject.series;
  if (series.size() < kTrendSamples) return std::nullopt;
  if (series.back().monotonic_ns - series.front().monotonic_ns < kTrendSpan) return std::nullopt;
  if (auto found = plateau(subject)) return found;
  return rise(subject);
}

std::string trend_sentence(const Facts& facts) {
  const auto trend = trend_of(facts);
  if (!trend) return "";
  const std::string who = whose(facts, trend->of);
  const std::string over = human_duration(trend->over_ms * 1'000'000);
  switch (trend->shape) {
    case Growth::kLeak:
      return fmt::format("Memory of {} grew like a leak: by {}, steadily over {}.", who,
                         rate(trend->slope_bytes_per_s), over);
    case Growth::kBurst:
      return fmt::format("Memory of {} grew in a burst: by {} in the last {}.", who,
                         rate(trend->slope_bytes_per_s), over);
    case Growth::kPlateau: break;
  }
  return fmt::format("Memory of {} was on a plateau: full for {} before the kill ({}).", who, over,
                     rate(trend->slope_bytes_per_s));
}

std::string grower_sentence(const Facts& facts) {
  const Subject subject = subject_of(facts);
  const Series victim = series_of(*facts.incident, "victim_rss_bytes");
  if (subject.of == "victim" || subject.series.size() < 2 || victim.size() < 2) return "";
  const std::uint64_t whole = minus(subject.series.back().bytes, subject.series.front().bytes);
  const std::uint64_t own = minus(victim.back().bytes, victim.front().bytes);
  const auto part = share(own, whole);
  if (!part || whole < kMib) return "";
  if (own == 0)
    return fmt::format("{} did not grow meanwhile: it was others.", whose(facts, "victim"));
  const std::string grew =
      fmt::format("{} grew by {} meanwhile", whose(facts, "victim"), human_size(own));
  if (*part >= kGrowerShare)
    return fmt::format("{}, {} of it.", grew, percent(std::min(*part, 1.0)));
  return fmt::format("{}, only {} of it: it was others that grew.", grew, percent(*part));
}

}  // namespace oomwitness
