// SPDX-License-Identifier: BSD-2-Clause
#include "sink/otlp/otlp_request.h"

#include <string_view>
#include <utility>

#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "sink/export_fields.h"
#include "support/text.h"

namespace oomwitness {
namespace {

namespace common = opentelemetry::proto::common::v1;
namespace logs = opentelemetry::proto::logs::v1;
namespace collector = opentelemetry::proto::collector::logs::v1;

// Names as of this version: the last with container.runtime.
constexpr std::string_view kSchemaUrl = "https://opentelemetry.io/schemas/1.27.0";
constexpr std::size_t kLongestArgument = 4096;

using Attributes = google::protobuf::RepeatedPtrField<common::KeyValue>;

common::AnyValue& add(Attributes& attributes, std::string_view key) {
  common::KeyValue& attribute = *attributes.Add();
  attribute.set_key(std::string(key));
  return *attribute.mutable_value();
}

void add(Attributes& attributes, std::string_view key, const std::string& value) {
  if (!value.empty()) add(attributes, key).set_string_value(escape_for_terminal(value));
}

void add(Attributes& attributes, std::string_view key, const Opt<std::string>& value) {
  if (value) add(attributes, key, *value);
}

void add(Attributes& attributes, std::string_view key, const Opt<std::uint32_t>& value) {
  if (value) add(attributes, key).set_int_value(*value);
}

// The conventions name architectures as Go does.
std::string arch_name(const std::string& uname) {
  if (uname == "x86_64") return "amd64";
  if (uname == "aarch64") return "arm64";
  return uname;
}

void add_process(Attributes& attributes, const Victim& victim) {
  add(attributes, "process.pid", victim.pid);
  add(attributes, "process.parent_pid", victim.ppid);
  if (victim.exe) {
    add(attributes, "process.executable.path", victim.exe);
    add(attributes, "process.executable.name", victim.exe->substr(victim.exe->rfind('/') + 1));
  } else {
    add(attributes, "process.executable.name", victim.comm);
  }
  if (victim.cmdline && !victim.cmdline->empty()) {
    common::ArrayValue& arguments = *add(attributes, "process.command_args").mutable_array_value();
    for (const std::string& argument : *victim.cmdline)
      arguments.add_values()->set_string_value(
          escape_for_terminal(std::string_view(argument).substr(0, kLongestArgument)));
  }
  add(attributes, "process.owner", victim.user);
  add(attributes, "process.linux.cgroup", victim.cgroup);
}

void add_container(Attributes& attributes, const Victim& victim) {
  if (victim.container) {
    add(attributes, "container.id", victim.container->id);
    add(attributes, "container.name", victim.container->name);
    add(attributes, "container.image.name", victim.container->image);
    add(attributes, "container.runtime", victim.container->runtime);
  }
  if (victim.pod) {
    add(attributes, "k8s.pod.name", victim.pod->name);
    add(attributes, "k8s.pod.uid", victim.pod->uid);
    add(attributes, "k8s.namespace.name", victim.pod->ns);
    add(attributes, "k8s.container.name", victim.pod->container);
  }
}

logs::SeverityNumber severity_number(ExportSeverity severity) {
  switch (severity) {
    case ExportSeverity::kInfo: return logs::SEVERITY_NUMBER_INFO;
    case ExportSeverity::kWarning: return logs::SEVERITY_NUMBER_WARN;
    case ExportSeverity::kError: return logs::SEVERITY_NUMBER_ERROR;
    case ExportSeverity::kCritical: break;
  }
  return logs::SEVERITY_NUMBER_FATAL;
}

void write_record(logs::LogRecord& record, const ExportItem& item, std::int64_t observed_unix_ns) {
  const Incident& incident = item.incident;
  record.set_time_unix_nano(static_cast<std::uint64_t>(incident.time_unix_ns));
  record.set_observed_time_unix_nano(static_cast<std::uint64_t>(observed_unix_ns));
  const ExportSeverity severity = severity_of(incident);
  record.set_severity_number(severity_number(severity));
  record.set_severity_text(std::string(severity_name(severity)));
  record.mutable_body()->set_string_value(export_headline(incident));
  for (const ExportField& field : export_fields(incident))
    add(*record.mutable_attributes(), "oomwitness." + std::string(field.name), field.value);
  // All of it, for whoever needs more than the fields: already ASCII without control bytes.
  add(*record.mutable_attributes(), "oomwitness.incident").set_string_value(item.json);
}

}  // namespace

std::string otlp_request(std::span<const ExportItem> batch, std::int64_t observed_unix_ns) {
  collector::ExportLogsServiceRequest request;
  for (const ExportItem& item : batch) {
    logs::ResourceLogs& of_resource = *request.add_resource_logs();
    of_resource.set_schema_url(std::string(kSchemaUrl));
    Attributes& resource = *of_resource.mutable_resource()->mutable_attributes();
    add(resource, "host.name", item.incident.host.name);
    add(resource, "host.arch", arch_name(item.incident.host.arch));
    add(resource, "os.type", std::string("linux"));
    if (const Victim* const victim = chosen_victim(item.incident)) {
      add_process(resource, *victim);
      add_container(resource, *victim);
    }
    logs::ScopeLogs& scope = *of_resource.add_scope_logs();
    scope.mutable_scope()->set_name("oomwitness");
    write_record(*scope.add_log_records(), item, observed_unix_ns);
  }
  return request.SerializeAsString();
}

Result<OtlpPartialSuccess> parse_otlp_response(const std::string& body) {
  collector::ExportLogsServiceResponse response;
  if (!response.ParseFromString(body)) return fail("the reply is not an OTLP response");
  return OtlpPartialSuccess{response.partial_success().rejected_log_records(),
                            response.partial_success().error_message()};
}

}  // namespace oomwitness
