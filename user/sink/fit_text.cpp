// SPDX-License-Identifier: BSD-2-Clause
#include "sink/fit_text.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sink/run_text.h"

namespace oomwitness {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

std::string_view name_of(FitEnd end) {
  switch (end) {
    case FitEnd::kFound: return "found";
    case FitEnd::kFailsWithoutLimit: return "fails-without-limit";
    case FitEnd::kNotDeterministic: return "not-deterministic";
    case FitEnd::kNoOom: return "no-oom";
    case FitEnd::kNoFit: return "no-fit";
    case FitEnd::kOutOfRuns: break;
  }
  return "out-of-runs";
}

std::string_view name_of(TrialEnd end) {
  switch (end) {
    case TrialEnd::kSuccess: return "success";
    case TrialEnd::kOom: return "oom";
    case TrialEnd::kTimeout: return "timeout";
    case TrialEnd::kFailure: break;
  }
  return "failure";
}

// To a tenth of a MiB: human_size() has three digits, which is too few for 1 %.
std::string size(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / static_cast<double>(kMiB));
}

std::string last_words(const FitResult& result, Charset charset) {
  return result.runs.empty() ? "" : escape_for_terminal(result.runs.back().result.what, charset);
}

std::string headline(const FitResult& result, Charset charset) {
  switch (result.end) {
    case FitEnd::kFound: return "";
    case FitEnd::kFailsWithoutLimit:
      return "no answer: the command fails without any limit (" + last_words(result, charset) +
             ")\n";
    case FitEnd::kNotDeterministic:
      return "no answer: the command is not deterministic: it fails now and then, whatever the "
             "limit\n";
    case FitEnd::kNoOom:
      return fmt::format(
          "no answer: no OOM at any limit: it succeeds with {}, the least that is tried\n",
          size(result.need_bytes.value_or(0)));
    case FitEnd::kNoFit:
      return "no answer: it fails with twice the memory that it used without a limit (" +
             last_words(result, charset) + ")\n";
    case FitEnd::kOutOfRuns: break;
  }
  return "the runs are used up (--runs): less precise than asked for\n";
}

std::string figures(const FitResult& result) {
  std::string text;
  if (result.peak_bytes)
    text += fmt::format("peak without limit      {}\n", size(*result.peak_bytes));
  if (result.need_bytes && result.end != FitEnd::kNoOom) {
    text += fmt::format("succeeds from           {}", size(*result.need_bytes));
    if (result.fails_bytes) text += fmt::format("   (fails with {})", size(*result.fails_bytes));
    text += result.noisy ? "   near this edge it sometimes fails\n" : "\n";
  }
  if (result.unslowed_bytes)
    text += fmt::format("not slowed from         {}\n", size(*result.unslowed_bytes));
  else if (result.end == FitEnd::kFound)
    text += "not slowed from         not found: slowed at every limit that was tried\n";
  return text;
}

std::string snippets(std::uint64_t bytes) {
  const std::uint64_t mib = bytes / kMiB;
  return fmt::format(
      "\nKubernetes\n"
      "  resources:\n    requests:\n      memory: {0}Mi\n    limits:\n      memory: {0}Mi\n"
      "\nCompose\n"
      "  deploy:\n    resources:\n      limits:\n        memory: {0}M\n"
      "\nsystemd\n"
      "  [Service]\n  MemoryMax={0}M\n  MemorySwapMax=0\n",
      mib);
}

}  // namespace

std::string fit_run_line(const FitRun& run, Charset charset) {
  const TrialResult& result = run.result;
  std::string text = run.limit_bytes ? "limit " + size(*run.limit_bytes) : "without limit";
  text +=
      ": " + escape_for_terminal(result.what, charset) + " after " + human_duration(result.wall_ns);
  if (!run.limit_bytes && result.peak_bytes) text += ", peak " + size(*result.peak_bytes);
  if (run.slow) {
    text += ", slowed by reclaim";
    if (result.stall_ns) text += " (waited " + human_duration(*result.stall_ns) + " for memory)";
  }
  return text;
}

std::optional<std::uint64_t> suggested_bytes(const FitReport& report) {
  const FitResult& result = report.result;
  const bool answered = result.end == FitEnd::kFound || result.end == FitEnd::kOutOfRuns;
  if (!answered || !result.need_bytes) return std::nullopt;
  return with_margin(std::max(*result.need_bytes, result.unslowed_bytes.value_or(0)),
                     report.margin);
}

std::string render_fit(const FitReport& report, Charset charset) {
  const FitResult& result = report.result;
  std::string text = "command                 " + command_line(report.command, charset) + "\n";
  text += headline(result, charset) + figures(result);
  text += fmt::format("runs                    {}\n", result.runs.size());
  const auto suggested = suggested_bytes(report);
  if (!suggested) return text;
  text += fmt::format("with a margin of {:.0f} %   {}\n", report.margin * 100, size(*suggested));
  return text + snippets(*suggested);
}

std::string fit_json(const FitReport& report) {
  using Json = nlohmann::ordered_json;
  const FitResult& result = report.result;
  Json out{{"schema", "oomwitness/fit/v1"}, {"result", name_of(result.end)}};
  out["command"] = Json::array();
  for (const std::string& word : report.command) out["command"].push_back(to_valid_utf8(word));
  const auto add = [](Json& to, const char* key, const std::optional<std::uint64_t>& value) {
    if (value) to[key] = *value;
  };
  add(out, "peak_bytes", result.peak_bytes);
  add(out, "need_bytes", result.need_bytes);
  add(out, "fails_bytes", result.fails_bytes);
  add(out, "unslowed_bytes", result.unslowed_bytes);
  add(out, "suggested_bytes", suggested_bytes(report));
  out["margin"] = report.margin;
  out["noisy"] = result.noisy;
  out["runs"] = Json::array();
  for (const FitRun& run : result.runs) {
    Json row{{"result", name_of(run.result.end)},
             {"what", to_valid_utf8(run.result.what)},
             {"slowed", run.slow},
             {"wall_ns", run.result.wall_ns}};
    add(row, "limit_bytes", run.limit_bytes);
    add(row, "peak_bytes", run.result.peak_bytes);
    add(row, "stall_some_ns", run.result.stall_ns);
    add(row, "limit_hits", run.result.limit_hits);
    out["runs"].push_back(std::move(row));
  }
  return out.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace oomwitness
