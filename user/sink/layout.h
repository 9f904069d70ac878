// SPDX-License-Identifier: BSD-2-Clause
// A report as blocks: headings, labelled lines, tables; as text, or in another sink's markup.
// Everything that reaches a page is escaped on the way, by text(); the rest of the sink writes only
// its own words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sink/report.h"

namespace oomwitness {

enum class Align { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kRight;
};

struct Row {
  std::vector<std::string> cells;
  bool strong = false;
};

// One part of a page. All of its text is escaped for terminals; a sink with markup of its own still
// escapes that.
struct Block {
  enum class Kind { kHeadline, kPlain, kHeading, kLine, kParagraph, kTable };
  Kind kind = Kind::kPlain;
  std::string label;  // of a line; the title of a heading
  std::string text;
  std::vector<Column> columns;
  std::vector<Row> rows;
};

// Each block with its line ends, wrapped at options.width.
std::string blocks_as_text(const std::vector<Block>& blocks, const ReportOptions& options);

class Page {
 public:
  explicit Page(const ReportOptions& options) : options_(options) {}

  // Hostile bytes as safe text; more columns than `limit` are cut out of the middle.
  std::string text(std::string_view bytes, std::size_t limit = 0) const;
  // The same for a name inside a sentence: in quotes when it holds more than names do, so that no
  // process can write its own end of the sentence.
  std::string name(std::string_view bytes, std::size_t limit = 0) const;
  // Escaped text, with the middle cut out where it has more columns than `limit`.
  static std::string cut(const std::string& escaped, std::size_t limit);
  // A size from an optional: "-" when absent.
  static std::string size(const std::optional<std::uint64_t>& bytes);

  void headline(std::string_view line);
  void plain(std::string_view line);
  // Lines as they are, each ended by a newline, with the indent of a paragraph.
  void drawing(std::string_view lines);
  void heading(std::string_view title, std::string_view rest = {});
  // A label and its text, wrapped at blanks with the text's indent; nothing when the text is empty.
  void line(std::string_view label, std::string_view text);
  // A paragraph of its own, wrapped like a line; nothing when the text is empty.
  void paragraph(std::string_view text);
  void table(const std::vector<Column>& columns, const std::vector<Row>& rows);
  const ReportOptions& options() const { return options_; }

  std::vector<Block> blocks() && { return std::move(blocks_); }
  std::string take() && { return blocks_as_text(blocks_, options_); }

 private:
  ReportOptions options_;
  std::vector<Block> blocks_;
};

}  // namespace oomwitness
