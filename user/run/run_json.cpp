// SPDX-License-Identifier: BSD-2-Clause
#include "run/run_json.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "incident/json.h"
#include "incident/json_fields.h"
#include "incident/json_reader.h"
#include "incident/json_writer.h"
#include "support/text.h"

namespace oomwitness {

namespace {

constexpr std::array<std::pair<RunVerdict, std::string_view>, 6> kVerdicts{{
    {RunVerdict::kSuccess, "success"},
    {RunVerdict::kFailure, "failure"},
    {RunVerdict::kOom, "oom"},
    {RunVerdict::kSignal, "signal"},
    {RunVerdict::kTimeout, "timeout"},
    {RunVerdict::kNotRun, "not-run"},
}};

constexpr std::array<std::pair<RunDepth, std::string_view>, 4> kDepths{{
    {RunDepth::kBpf, "bpf"},
    {RunDepth::kKernelLog, "kernel-log"},
    {RunDepth::kCgroup, "cgroup"},
    {RunDepth::kWaitStatus, "wait-status"},
}};

template <typename T, std::size_t N>
bool find_name(std::string_view name, const std::array<std::pair<T, std::string_view>, N>& names,
               T& value) {
  const auto* const found =
      std::find_if(names.begin(), names.end(), [name](const auto& n) { return n.second == name; });
  if (found != names.end()) value = found->first;
  return found != names.end();
}

}  // namespace

// Found by the codec through their arguments.
std::string_view name_of(RunVerdict verdict) {
  return json_codec::name_of(verdict, kVerdicts);
}
std::string_view name_of(RunDepth depth) {
  return json_codec::name_of(depth, kDepths);
}
bool from_name(std::string_view name, RunVerdict& verdict) {
  return find_name(name, kVerdicts, verdict);
}
bool from_name(std::string_view name, RunDepth& depth) {
  return find_name(name, kDepths, depth);
}

template <typename Io>
void fields(Io& io, A<RunCgroup> auto& cgroup) {
  io("version", cgroup.version);
  io("path", cgroup.path);
  io.always("way", cgroup.way);
}

template <typename Io>
void fields(Io& io, A<RunLimits> auto& limits) {
  io("memory_max_bytes", limits.memory_max_bytes);
  io("swap_max_bytes", limits.swap_max_bytes);
  io("timeout_ns", limits.timeout_ns);
  io("effective_bytes", limits.effective_bytes);
  io("effective_cgroup", limits.effective_cgroup);
}

template <typename Io>
void fields(Io& io, A<RunUsage> auto& usage) {
  io("wall_ns", usage.wall_ns);
  io("user_ns", usage.user_ns);
  io("system_ns", usage.system_ns);
  io("peak_bytes", usage.peak_bytes);
  io("peak_source", usage.peak_source);
  io("swap_peak_bytes", usage.swap_peak_bytes);
  io("stall_some_ns", usage.stall_some_ns);
  io("stall_full_ns", usage.stall_full_ns);
  io("limit_hits", usage.limit_hits);
}

template <typename Io>
void fields(Io& io, A<MemorySample> auto& sample) {
  io("ms", sample.ms);
  io("usage_bytes", sample.usage_bytes);
  io("swap_bytes", sample.swap_bytes);
}

template <typename Io>
void fields(Io& io, A<RunKill> auto& kill) {
  io("ms", kill.ms);
  io("pid", kill.pid);
  io("comm", kill.comm);
  io("cmdline", kill.cmdline);
  io("cgroup", kill.cgroup);
  io("limit_cgroup", kill.limit_cgroup);
  io("limit_bytes", kill.limit_bytes);
  io("incident", kill.incident);
}

template <typename Io>
void fields(Io& io, A<RunRecord> auto& run) {
  io.always("command", run.command);
  io.time("started", run.started_unix_ns);
  io.always("host", run.host);
  io.always("verdict", run.verdict);
  io.always("exit_code", run.exit_code);
  io("command_exit_code", run.command_exit_code);
  io("command_signal", run.command_signal);
  io("passed_signal", run.passed_signal);
  io("timed_out", run.timed_out);
  io("error", run.error);
  io.always("cgroup", run.cgroup);
  io.always("depth", run.depth);
  io.always("limits", run.limits);
  io.always("usage", run.usage);
  io("oom_kills", run.oom_kills);
  io.always("kills", run.kills);
  io.always("memory", run.memory);
  io.nonzero("ended_processes", run.ended_processes);
  io("missing", run.missing);
}

namespace {

using json_codec::Json;

constexpr std::string_view kSchema = "oomwitness/run/v1";

Json parse(std::string_view text) {
  return Json::parse(text, nullptr, false);
}

bool has_schema(const Json& in) {
  const auto found = in.is_object() ? in.find("schema") : in.end();
  return found != in.end() && *found == kSchema;
}

Status read_incidents(const Json& in, std::vector<Incident>& incidents) {
  const auto found = in.find("incidents");
  if (found == in.end()) return {};
  if (!found->is_array())
    return fail(fmt::format("run: incidents: expected an array, found {}", found->type_name()));
  for (const Json& each : *found) {
    auto incident = incident_from_json(each.dump(-1, ' ', true, Json::error_handler_t::replace));
    if (!incident)
      return tl::make_unexpected(
          std::move(incident).error().during(fmt::format("run: incidents[{}]", incidents.size())));
    incidents.push_back(*std::move(incident));
  }
  return {};
}

}  // namespace

std::string to_json(const RunRecord& record) {
  std::string line;
  json_codec::Writer writer(line);
  writer("schema", std::string(kSchema));
  fields(writer, record);
  line += ",\"incidents\":[";
  for (const Incident& incident : record.incidents) {
    if (line.back() != '[') line += ',';
    line += to_json(incident);
  }
  line += ']';
  writer.close();
  return line;
}

bool is_run_json(std::string_view text) {
  return has_schema(parse(text));
}

Result<RunRecord> run_from_json(std::string_view text) {
  const Json in = parse(text);
  if (in.is_discarded()) return fail("run: not valid JSON");
  if (!has_schema(in)) return fail(fmt::format("run: expected an object of schema '{}'", kSchema));
  Opt<std::string> error;
  json_codec::Reader reader(in, "", error);
  RunRecord record;
  fields(reader, record);
  if (error) return fail("run: " + escape_for_terminal(*error));
  CHECK_OK(read_incidents(in, record.incidents));
  return record;
}

}  // namespace oomwitness
