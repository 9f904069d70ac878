// SPDX-License-Identifier: BSD-2-Clause
#include "agent/config_exporters.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace oomwitness {
namespace {

constexpr std::string_view kPath = "path";

template <typename T, typename U>
void set(T& into, const std::optional<U>& value) {
  if (value) into = static_cast<T>(*value);
}

std::optional<std::chrono::milliseconds> milliseconds(ConfigSection& section,
                                                      std::string_view key) {
  const auto value = section.duration(key);
  if (!value) return std::nullopt;
  // 0 would be "for ever" to libcurl.
  if (*value >= std::chrono::milliseconds(1))
    return std::chrono::duration_cast<std::chrono::milliseconds>(*value);
  section.refuse(key, "expected 1ms or more");
  return std::nullopt;
}

// An absolute path, or empty where the key is not there.
std::string path(ConfigSection& section, std::string_view key) {
  auto value = section.text(key);
  if (!value) return {};
  if (!value->starts_with('/')) section.refuse(key, "expected an absolute path");
  return *std::move(value);
}

void read_common(ConfigSection& section, ExporterConfig& config) {
  set(config.backfill, section.flag("backfill"));
  set(config.backoff.first, section.duration("retry_first"));
  set(config.backoff.longest, section.duration("retry_longest"));
  if (config.backoff.first < std::chrono::milliseconds(100))
    section.refuse("retry_first", "expected 100ms or more");
  if (config.backoff.longest < config.backoff.first)
    section.refuse("retry_longest", "expected no less than retry_first");
}

bool is_url(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (text.starts_with(scheme) && text.size() > scheme.size())
      return text.find_first_of(" \t\r\n") == std::string_view::npos;
  return false;
}

void read_http(ConfigSection& section, HttpOptions& http) {
  set(http.connect_timeout, milliseconds(section, "connect_timeout"));
  set(http.timeout, milliseconds(section, "timeout"));
  http.ca_file = path(section, "ca_file");
  http.certificate_file = path(section, "certificate_file");
  http.key_file = path(section, "key_file");
  set(http.proxy, section.text("proxy"));
}

std::vector<std::string> read_headers(ConfigSection& section) {
  std::vector<std::string> headers = section.texts("headers");
  for (const std::string& header : headers) {
    const std::size_t colon = header.find(": ");
    const bool clean =
        std::all_of(header.begin(), header.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (colon == std::string::npos || colon == 0 || !clean)
      section.refuse("headers", "expected \"Name: value\"; a secret goes to bearer_file");
  }
  return headers;
}

JsonFileOptions read_json_file(ConfigSection& section) {
  JsonFileOptions options;
  options.path = path(section, kPath);
  if (options.path.empty()) section.refuse(kPath, "it is missing: where to write");
  set(options.rotate_bytes, section.size("rotate_size"));
  constexpr std::int64_t kMostFiles = 1000;
  set(options.keep, section.number("keep", 0, kMostFiles));
  set(options.sync, section.flag("sync"));
  return options;
}

SyslogOptions read_syslog(ConfigSection& section) {
  SyslogOptions options;
  if (const auto text = section.text("target")) {
    auto target = parse_syslog_target(*text);
    if (target) {
      options.target = *std::move(target);
    } else {
      section.refuse("target", target.error().context());
    }
  }
  const bool here = options.target.transport == SyslogTransport::kUnix;
  // What the daemons expect on the local socket is not what they expect from the network.
  options.style.format = here ? SyslogFormat::kLocal : SyslogFormat::kRfc5424;
  if (const auto word = section.word("format", {"rfc5424", "local"}))
    options.style.format = *word == "local" ? SyslogFormat::kLocal : SyslogFormat::kRfc5424;
  if (const auto facility = section.text("facility")) {
    const Opt<unsigned> number = syslog_facility(*facility);
    if (number) {
      options.style.facility = *number;
    } else {
      section.refuse("facility", "expected a name as in RFC 5424: daemon, local0 and so on");
    }
  }
  constexpr std::int64_t kMostEnterprises = 4'294'967'295;
  set(options.style.enterprise, section.number("enterprise_number", 1, kMostEnterprises));
  set(options.target.timeout, milliseconds(section, "timeout"));
  return options;
}

OtlpOptions read_otlp(ConfigSection& section) {
  OtlpOptions options;
  set(options.endpoint, section.text("endpoint"));
  if (!is_url(options.endpoint)) section.refuse("endpoint", "expected http://... or https://...");
  if (const auto word = section.word("compression", {"gzip", "none"}))
    options.gzip = *word == "gzip";
  options.headers = read_headers(section);
  options.bearer_file = path(section, "bearer_file");
  constexpr std::int64_t kMostOfBatch = 512;
  set(options.batch, section.number("batch", 1, kMostOfBatch));
  read_http(section, options.http);
  return options;
}

PrometheusOptions read_prometheus(ConfigSection& section, const std::string& state_folder) {
  PrometheusOptions options;
  options.state_file = state_folder + "/metrics.json";
  set(options.server.listen, section.text("listen"));
  options.server.basic_auth_file = path(section, "basic_auth_file");
  options.server.certificate_file = path(section, "certificate_file");
  options.server.key_file = path(section, "key_file");
  if (options.server.certificate_file.empty() != options.server.key_file.empty())
    section.refuse("certificate_file", "it goes together with key_file");
  return options;
}

WebhookOptions read_webhook(ConfigSection& section) {
  WebhookOptions options;
  set(options.url, section.text("url"));
  options.url_file = path(section, "url_file");
  if (options.url.empty() == options.url_file.empty())
    section.refuse("url", "either this or url_file is to be there");
  if (!options.url.empty() && !is_url(options.url))
    section.refuse("url", "expected http://... or https://...");
  if (const auto word = section.word("form", {"generic", "slack", "alertmanager"}))
    options.form = *word == "slack"          ? WebhookForm::kSlack
                   : *word == "alertmanager" ? WebhookForm::kAlertmanager
                                             : WebhookForm::kGeneric;
  set(options.interval, section.duration("interval"));
  set(options.resolve_after, section.duration("resolve_after"));
  options.headers = read_headers(section);
  options.bearer_file = path(section, "bearer_file");
  read_http(section, options.http);
  return options;
}

class Reader {
 public:
  template <typename Read>
  void add(ConfigSection section, std::string name, bool backfill, Read read) {
    if (!section.exists()) return;
    const bool enabled = section.flag("enabled").value_or(true);
    ExporterConfig config{.name = std::move(name), .backfill = backfill};
    read_common(section, config);
    config.options = read(section);
    if (enabled) out_.push_back(std::move(config));
  }
  bool has(const std::string& name) const {
    return std::any_of(out_.begin(), out_.end(),
                       [&](const ExporterConfig& one) { return one.name == name; });
  }
  std::vector<ExporterConfig> take() && { return std::move(out_); }

 private:
  std::vector<ExporterConfig> out_;
};

}  // namespace

std::vector<ExporterConfig> read_exporters(ConfigFile& file, const std::string& state_folder) {
  Reader reader;
  ConfigSection all = file.top().section("exporter");
  reader.add(all.section("journal"), "journal", true,
             [](ConfigSection&) { return JournalOptions{}; });
  reader.add(all.section("json"), "json", true, read_json_file);
  reader.add(all.section("syslog"), "syslog", true, read_syslog);
  reader.add(all.section("otlp"), "otlp", true, read_otlp);
  reader.add(all.section("prometheus"), "prometheus", true,
             [&](ConfigSection& section) { return read_prometheus(section, state_folder); });
  for (ConfigSection& webhook : all.sections("webhook")) {
    const std::string name = "webhook." + webhook.text("name").value_or("default");
    if (reader.has(name)) webhook.refuse("name", "two webhooks have it");
    // Nobody wants to be called for what was long ago.
    reader.add(webhook, name, false, read_webhook);
  }
  return std::move(reader).take();
}

}  // namespace oomwitness
