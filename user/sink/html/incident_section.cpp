// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "incident/json.h"
#include "sink/html/sections.h"
#include "sink/report_parts.h"
#include "sink/table_line.h"
#include "support/text.h"

namespace oomwitness {
namespace {

// The text parts of a report, in UTF-8, with nothing cut that a table in a page has room for.
Page text_page() {
  return Page({.color = false, .utf8 = true});
}

std::string headline_of(const Incident& incident) {
  Page page = text_page();
  write_headline(page, incident);
  return std::move(page).blocks().front().text;
}

void write_summary(Markup& page, const Incident& incident) {
  page.open("summary");
  const Victim* const victim = first_victim(incident);
  const Page words = text_page();
  page.open("b");
  page.words(victim != nullptr ? process_name(words, victim->comm, victim->pid) : "nobody killed");
  page.close();
  if (incident.time_unix_ns != 0) page.words(" " + rfc3339_utc(incident.time_unix_ns, 0));
  if (incident.diagnosis) {
    page.words(" ");
    page.element("span", safe_sentence(incident.diagnosis->cause), {{"class", "chip"}});
  }
  page.close();
}

void write_sentences(Markup& page, Constant list, const std::vector<std::string>& sentences,
                     std::size_t most) {
  if (sentences.empty()) return;
  page.open(list);
  for (std::size_t i = 0; i < std::min(sentences.size(), most); ++i)
    page.element("li", safe_sentence(sentences[i]));
  page.close();
}

void write_verdict(Markup& page, const Incident& incident, Detail detail) {
  if (!incident.diagnosis) return;
  const Diagnosis& diagnosis = *incident.diagnosis;
  const std::string_view confidence = confidence_name(diagnosis.confidence);
  page.open("div", {{"class", fmt::format("verdict {}", confidence)}});
  page.open("p");
  page.element("b", safe_sentence(diagnosis.summary));
  page.close();
  const std::string also = also_text(diagnosis);
  page.element("p",
               fmt::format("Cause {}, confidence {}{}{}.", safe_sentence(diagnosis.cause),
                           confidence, also.empty() ? "" : "; beside it: ", also),
               {{"class", "dim"}});
  page.close();
  const std::size_t most = detail == Detail::kFull ? diagnosis.evidence.size() : 3;
  if (detail == Detail::kFull) page.element("h3", "Evidence");
  write_sentences(page, "ul", diagnosis.evidence, most);
  if (detail != Detail::kFull) return;
  if (!diagnosis.advice.empty()) page.element("h3", "What to do");
  write_sentences(page, "ol", diagnosis.advice, diagnosis.advice.size());
}

std::string kernel_frames(const Invoker& invoker) {
  std::string out;
  for (const KernelFrame& frame : invoker.kernel_stack)
    out += (frame.symbol.empty() ? fmt::format("{:#x}", frame.address)
                                 : escape_for_terminal(frame.symbol)) +
           "\n";
  return out;
}

std::string user_frames(const Invoker& invoker) {
  std::string out;
  for (const UserFrame& frame : invoker.user_stack)
    out += frame.build_id.empty() ? fmt::format("{:#x}\n", frame.offset)
                                  : fmt::format("build {} + {:#x}\n",
                                                escape_for_terminal(frame.build_id), frame.offset);
  return out;
}

void write_whole(Markup& page, const Incident& incident, const std::string& id) {
  write_history(page, incident, id + "-history");
  write_parts(page, incident, id + "-parts");
  Page body = text_page();
  write_body(body, incident);
  write_blocks(page, std::move(body).blocks());
  write_fold(page, "Kernel stack of who asked", kernel_frames(incident.invoker));
  write_fold(page, "User stack of who asked", user_frames(incident.invoker));
  write_fold(page, "The whole record (JSON)", indented_json(to_json(incident)));
}

}  // namespace

void write_fold(Markup& page, std::string_view title, const std::string& text) {
  if (text.empty()) return;
  page.open("details", {{"class", "fold"}});
  page.element("summary", title);
  page.element("pre", text);
  page.close();
}

void write_incident(Markup& page, const Incident& incident, std::size_t n, Detail detail,
                    bool open) {
  const std::string id = anchor_of(n);
  if (open)
    page.open("details", {{"class", "incident"}, {"id", id}, {"open", ""}});
  else
    page.open("details", {{"class", "incident"}, {"id", id}});
  write_summary(page, incident);
  page.open("div");
  page.element("p", headline_of(incident));
  Page subject = text_page();
  write_subject(subject, incident);
  page.element("p", std::move(subject).blocks().front().text, {{"class", "dim"}});
  write_verdict(page, incident, detail);
  if (detail == Detail::kFull)
    write_whole(page, incident, id);
  else
    page.element("p", "In brief: the download has the whole record.", {{"class", "dim"}});
  page.close();
  page.close();
}

}  // namespace oomwitness
