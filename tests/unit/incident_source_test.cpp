// SPDX-License-Identifier: BSD-2-Clause
// Incidents out of either kind of file, however it comes in.
#include "pipeline/incident_source.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "incident/json.h"

namespace oomwitness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A text that comes a few bytes at a time.
class Dribble : public Pieces {
 public:
  Dribble(std::string text, std::size_t step) : text_(std::move(text)), step_(step) {}

  Result<std::string_view> next(std::size_t again) override {
    const std::size_t begin = end_ - again;
    end_ = std::min(end_ + step_, text_.size());
    return std::string_view(text_).substr(begin, end_ - begin);
  }
  std::uint64_t consumed() const override { return end_; }

 private:
  std::string text_;
  std::size_t step_;
  std::size_t end_ = 0;
};

std::string incident_line(const std::string& id) {
  Incident incident;
  incident.id = id;
  incident.diagnosis = Diagnosis{.cause = "forged", .summary = "x"};
  return to_json(incident) + "\n";
}

struct Read {
  Status status;
  std::vector<std::string> ids;
  std::vector<std::string> causes;
};

Read read_all(const std::string& text, std::size_t step) {
  Read read;
  Dribble pieces(text, step);
  read.status = read_incidents(pieces, {}, [&](const Incident& incident) {
    read.ids.push_back(incident.id);
    read.causes.push_back(incident.diagnosis->cause);
    return Status{};
  });
  return read;
}

TEST(IncidentSource, ReadsJsonLinesInPiecesOfAnySize) {
  const std::string text = incident_line("a") + "\n" + incident_line("b");
  for (const std::size_t step : {1U, 6U, 63U, 1'000U, 100'000U}) {
    const Read read = read_all(text, step);
    EXPECT_TRUE(read.status) << step;
    EXPECT_THAT(read.ids, ElementsAre("a", "b")) << step;
  }
}

TEST(IncidentSource, MakesTheDiagnosisAnew) {
  EXPECT_THAT(read_all(incident_line("a"), 50).causes, ElementsAre("insufficient-evidence"));
}

TEST(IncidentSource, ReadsALogInPiecesOfAnySize) {
  const std::string log =
      "[  100.000000] Out of memory: Kill process 26379 (tmux) score 6 or sacrifice child\n"
      "[  100.000071] Killed process 26379 (tmux) total-vm:23220kB, anon-rss:2768kB, "
      "file-rss:8kB\n";
  for (const std::size_t step : {1U, 6U, 63U, 100'000U})
    EXPECT_EQ(read_all(log, step).ids.size(), 1U) << step;
}

TEST(IncidentSource, NamesTheLineThatIsNoIncident) {
  const Read read = read_all(incident_line("a") + "{\"x\":1}\n", 4096);
  ASSERT_FALSE(read.status);
  EXPECT_THAT(read.status.error().message(), HasSubstr("line 2"));
  EXPECT_THAT(read.ids, ElementsAre("a"));
}

}  // namespace
}  // namespace oomwitness
