// SPDX-License-Identifier: BSD-2-Clause
#include "agent/earlier_boots.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "agent/known_kills.h"
#include "agent/redaction.h"
#include "agent/residence.h"
#include "capture/log/journal.h"
#include "capture/log/open_log.h"
#include "kernlog/log_feed.h"
#include "kernlog/log_reader.h"
#include "pipeline/log_analysis.h"

namespace oomwitness {
namespace {

// A report may have begun before the moment until which all is known.
constexpr std::uint64_t kReportNs = 10'000'000'000;

// The kernel writes a boot's id as a UUID (/proc/sys/kernel/random/boot_id), the journal without
// dashes.
std::string without_dashes(std::string id) {
  std::erase(id, '-');
  return id;
}

std::string as_uuid(std::string id) {
  constexpr std::size_t kDigits = 32;
  if (id.size() != kDigits) return id;
  for (const std::size_t at : {20U, 16U, 12U, 8U}) id.insert(at, "-");
  return id;
}

// Those to look through, oldest first. What is older than all that the store knows was before its
// time.
std::vector<KnownBoot> open_boots(const std::vector<std::string>& kept,
                                  const std::vector<KnownBoot>& known, const std::string& current) {
  const auto find = [&](const std::string& id) {
    return std::find_if(known.begin(), known.end(),
                        [&](const KnownBoot& one) { return without_dashes(one.boot_id) == id; });
  };
  const auto first = std::find_if(kept.begin(), kept.end(), [&](const std::string& id) {
    return id != current && find(id) != known.end();
  });
  std::vector<KnownBoot> boots;
  for (auto id = first == kept.end() ? kept.begin() : first; id != kept.end(); ++id) {
    const auto at = find(*id);
    if (*id == current || (at != known.end() && at->closed)) continue;
    boots.push_back(at != known.end() ? *at : KnownBoot{.boot_id = as_uuid(*id)});
  }
  return boots;
}

class Describer {
 public:
  Describer(Store& store, const EarlierBootsOptions& options,
            const std::function<void()>& on_stored)
      : store_(store), options_(options), on_stored_(on_stored) {}

  Status describe(const KnownBoot& boot, const std::stop_token& stop);

 private:
  Status keep(std::vector<LogReport> reports, const std::string& boot_id, KnownKills& known);

  Store& store_;
  const EarlierBootsOptions& options_;
  const std::function<void()>& on_stored_;
  Diagnostician diagnose_;
};

Status Describer::keep(std::vector<LogReport> reports, const std::string& boot_id,
                       KnownKills& known) {
  for (LogReport& report : reports) {
    // Without a victim nobody was killed, unless the kernel panicked instead.
    if (report.victims.empty() && !report.panic) continue;
    TRY(const bool told, known.has(report));
    if (told) continue;
    Incident incident = incident_of_log(std::move(report));
    incident.host.boot_id = boot_id;
    incident.provenance.sources = {"journal"};
    diagnose_(incident);
    redact(incident, options_.redact);
    TRY(const bool fresh, store_.put(incident));
    if (fresh) on_stored_();
  }
  return {};
}

Status Describer::describe(const KnownBoot& boot, const std::stop_token& stop) {
  TRY(auto stream, open_journal({.files = {},
                                 .folder = options_.journal,
                                 .boot = without_dashes(boot.boot_id),
                                 .since_unix_ns = {},
                                 .until_unix_ns = {},
                                 .since_monotonic_ns =
                                     boot.settled_ns > kReportNs ? boot.settled_ns - kReportNs : 0,
                                 .kernel_only = true}));
  const OpenedLog log = make_opened(std::move(stream));
  LogReader reader;
  LogFeed feed(reader);
  KnownKills known(store_, boot.boot_id);
  for (bool more = true; more;) {
    if (stop.stop_requested()) return {};
    TRY(const auto piece, log.pieces->next(feed.kept()));
    more = piece.size() > feed.kept();
    feed.take(piece);
    if (!more) reader.flush();
    CHECK_OK(keep(reader.take(), boot.boot_id, known));
  }
  return store_.close_boot(boot.boot_id);
}

}  // namespace

Status describe_earlier_boots(Store& store, const EarlierBootsOptions& options,
                              const std::stop_token& stop, const std::function<void()>& on_stored) {
  TRY(const auto known, store.boots());
  const bool any = std::any_of(known.begin(), known.end(), [&](const KnownBoot& boot) {
    return boot.boot_id != options.boot_id;
  });
  if (!any) return {};
  TRY(const auto kept, journal_boots({.files = {}, .folder = options.journal}));
  Describer describer(store, options, on_stored);
  for (const KnownBoot& boot : open_boots(kept, known, without_dashes(options.boot_id))) {
    if (stop.stop_requested()) break;
    CHECK_OK(describer.describe(boot, stop));
  }
  return {};
}

EarlierBoots::EarlierBoots(EarlierBootsOptions options, Around around)
    : options_(std::move(options)),
      around_(around),
      bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void EarlierBoots::run(const std::stop_token& stop) {
  // The files of the journal are mapped: they must not fill the memory of a small host.
  if (around_.lock_memory) static_cast<void>(lock_no_more());
  const Status done = describe_earlier_boots(around_.store, options_, stop, [this] {
    ++around_.figures.earlier_boots;
    ::eventfd_write(bell_.get(), 1);
  });
  if (around_.lock_memory)
    if (const Status locked = lock_memory(); !locked)
      around_.log.say(Severity::kWarning, locked.error());
  if (!done) {
    around_.log.say(Severity::kWarning, done.error());
    around_.log.say(Severity::kWarning,
                    "kills of earlier boots, while the agent was down, may not be in the store");
  }
  if (const auto found = around_.figures.earlier_boots.load(); found > 0) {
    around_.log.say(Severity::kNotice,
                    std::to_string(found) + " kills of earlier boots were found in the journal");
  }
}

bool EarlierBoots::take_stored() {
  eventfd_t count = 0;
  return ::eventfd_read(bell_.get(), &count) == 0;
}

void EarlierBoots::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace oomwitness
