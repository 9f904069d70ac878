// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "sink/html/sections.h"

namespace oomwitness {
namespace {

void write_cell(Markup& page, Constant tag, const Column& column, const std::string& text) {
  if (column.align == Align::kRight)
    page.element(tag, text, {{"class", "n"}});
  else
    page.element(tag, text);
}

void write_table(Markup& page, const Block& block) {
  page.open("div", {{"class", "scroll"}});
  page.open("table");
  const bool titled = std::any_of(block.columns.begin(), block.columns.end(),
                                  [](const Column& c) { return !c.title.empty(); });
  if (titled) {
    page.open("thead");
    page.open("tr");
    for (const Column& column : block.columns) write_cell(page, "th", column, column.title);
    page.close();
    page.close();
  }
  page.open("tbody");
  for (const Row& row : block.rows) {
    if (row.strong)
      page.open("tr", {{"class", "strong"}});
    else
      page.open("tr");
    for (std::size_t i = 0; i < block.columns.size(); ++i)
      write_cell(page, "td", block.columns[i], row.cells.at(i));
    page.close();
  }
  page.close();
  page.close();
  page.close();
}

void write_heading(Markup& page, const Block& block) {
  page.open("h3");
  page.words(block.label);
  if (!block.text.empty()) {
    page.words(" ");
    page.element("span", block.text);
  }
  page.close();
}

}  // namespace

void write_blocks(Markup& page, const std::vector<Block>& blocks) {
  bool in_list = false;
  for (const Block& block : blocks) {
    const bool line = block.kind == Block::Kind::kLine;
    if (in_list && !line) page.close();
    if (!in_list && line) page.open("dl");
    in_list = line;
    switch (block.kind) {
      case Block::Kind::kHeadline:
      case Block::Kind::kPlain:
      case Block::Kind::kParagraph: page.element("p", block.text); break;
      case Block::Kind::kHeading: write_heading(page, block); break;
      case Block::Kind::kLine:
        if (!block.label.empty()) page.element("dt", block.label);
        page.element("dd", block.text);
        break;
      case Block::Kind::kTable: write_table(page, block); break;
    }
  }
  if (in_list) page.close();
}

}  // namespace oomwitness
