// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/incident_source.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "diagnose/diagnose.h"
#include "incident/json.h"
#include "run/run_json.h"

namespace oomwitness {
namespace {

// One whose first piece has been looked at already.
class Peeked : public Pieces {
 public:
  Peeked(Pieces& inner, std::size_t seen) : inner_(inner), seen_(seen) {}

  Result<std::string_view> next(std::size_t again) override {
    return inner_.next(again + std::exchange(seen_, 0));
  }
  bool take_gap() override { return inner_.take_gap(); }
  std::uint64_t consumed() const override { return inner_.consumed(); }

 private:
  Pieces& inner_;
  std::size_t seen_;
};

constexpr std::size_t kSchemaWithin = 64;

// At least so much as tells what the file is: a pipe may give a few bytes at a time.
Result<std::string_view> beginning(Pieces& pieces) {
  TRY(std::string_view first, pieces.next(0));
  for (std::size_t before = 0; first.size() > before && first.size() < 2 * kSchemaWithin;) {
    before = first.size();
    TRY(first, pieces.next(before));
  }
  return first;
}

// journald's and Docker's logs are objects too: only our records name the schema first.
bool names_schema(std::string_view text, std::string_view schema) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  return text.starts_with("{") &&
         text.substr(0, kSchemaWithin).find(schema) != std::string_view::npos;
}

bool is_run(std::string_view text) {
  return names_schema(text, "oomwitness/run/");
}

class JsonLines {
 public:
  JsonLines(const std::function<Status(const Incident&)>& sink,
            const std::function<Status(const RunRecord&)>& runs)
      : sink_(sink), runs_(runs) {}

  Status take(std::string_view piece) {
    rest_.append(piece);
    std::size_t begin = 0;
    for (std::size_t end = rest_.find('\n'); end != std::string::npos;
         end = rest_.find('\n', begin)) {
      CHECK_OK(line(std::string_view(rest_).substr(begin, end - begin)));
      begin = end + 1;
    }
    rest_.erase(0, begin);
    if (rest_.size() > kLongestLine) return fail(where() + "longer than any incident");
    return {};
  }
  Status end() { return line(rest_); }

 private:
  static constexpr std::size_t kLongestLine = 16U << 20U;

  std::string where() const { return "line " + std::to_string(line_ + 1) + ": "; }
  Status line(std::string_view text) {
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) {
      ++line_;
      return {};
    }
    if (is_run(text)) return run(text);
    auto incident = incident_from_json(text);
    if (!incident) return fail(where() + incident.error().message());
    ++line_;
    diagnose_(*incident);
    return sink_(*incident);
  }
  Status run(std::string_view text) {
    auto record = run_from_json(text);
    if (!record) return fail(where() + record.error().message());
    ++line_;
    for (Incident& incident : record->incidents) {
      diagnose_(incident);
      CHECK_OK(sink_(incident));
    }
    return runs_(*record);
  }

  const std::function<Status(const Incident&)>& sink_;
  const std::function<Status(const RunRecord&)>& runs_;
  std::string rest_;
  std::uint64_t line_ = 0;
  Diagnostician diagnose_;
};

Status read_json(Pieces& pieces, std::string_view first,
                 const std::function<Status(const Incident&)>& sink,
                 const std::function<Status(const RunRecord&)>& runs) {
  JsonLines lines(sink, runs);
  while (!first.empty()) {
    CHECK_OK(lines.take(first));
    TRY(first, pieces.next(0));
  }
  return lines.end();
}

}  // namespace

Status IncidentSource::read(Pieces& pieces) {
  TRY(const std::string_view first, beginning(pieces));
  if (names_schema(first, "oomwitness/incident/") || is_run(first))
    return read_json(pieces, first, sink_, runs_);
  Peeked peeked(pieces, first.size());
  return analysis_.read(peeked, [] {});
}

Status read_incidents(Pieces& pieces, const LogReaderOptions& log, const LogAnalysis::Sink& sink) {
  IncidentSource source(log, sink, [](const RunRecord&) { return Status{}; });
  CHECK_OK(source.read(pieces));
  return source.end_log();
}

}  // namespace oomwitness
