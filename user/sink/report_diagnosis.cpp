// SPDX-License-Identifier: BSD-2-Clause
// What it means, in a few lines; `explain` has the rest.
#include <algorithm>
#include <string_view>

#include "sink/report_parts.h"
#include "support/text.h"

namespace oomwitness {
namespace {

void write_some(Page& page, std::string_view label, const std::vector<std::string>& lines,
                std::size_t most) {
  for (std::size_t i = 0; i < std::min(lines.size(), most); ++i)
    page.line(i == 0 ? label : "", safe_sentence(lines[i]));
}

}  // namespace

std::string_view confidence_name(Confidence confidence) {
  switch (confidence) {
    case Confidence::kHigh: return "high";
    case Confidence::kMedium: return "medium";
    case Confidence::kLow: break;
  }
  return "low";
}

std::string also_text(const Diagnosis& diagnosis) {
  std::string also;
  for (const std::string& cause : diagnosis.also) add_part(also, safe_sentence(cause));
  return also;
}

void write_diagnosis(Page& page, const Opt<Diagnosis>& diagnosis) {
  if (!diagnosis) return;
  constexpr std::size_t kEvidence = 4;
  constexpr std::size_t kAdvice = 2;
  page.heading("Diagnosis", safe_sentence(diagnosis->cause) + ", confidence " +
                                std::string(confidence_name(diagnosis->confidence)));
  page.line("cause", safe_sentence(diagnosis->summary));
  write_some(page, "evidence", diagnosis->evidence, kEvidence);
  page.line("also", also_text(*diagnosis));
  write_some(page, "advice", diagnosis->advice, kAdvice);
}

}  // namespace oomwitness
