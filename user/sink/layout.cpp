// SPDX-License-Identifier: BSD-2-Clause
#include "sink/layout.h"

#include <algorithm>

#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kLabelWidth = 12;

// The longest prefix of at most `columns` columns that does not cut a character.
std::size_t prefix_of(std::string_view utf8, std::size_t columns) {
  std::size_t end = 0;
  for (std::size_t width = 0; end < utf8.size();) {
    std::size_t next = end + 1;
    while (next < utf8.size() && (static_cast<unsigned char>(utf8[next]) & 0xc0) == 0x80) ++next;
    width += display_width(utf8.substr(end, next - end));
    if (width > columns) break;
    end = next;
  }
  return end;
}

std::string padded(const std::string& cell, std::size_t width, Align align) {
  const std::size_t own = display_width(cell);
  const std::string blanks(width > own ? width - own : 0, ' ');
  return align == Align::kRight ? blanks + cell : cell + blanks;
}

void trim_right(std::string& line) {
  line.erase(line.find_last_not_of(' ') + 1);
}

class TextWriter {
 public:
  explicit TextWriter(const ReportOptions& options) : options_(options) {}

  void write(const Block& block);
  std::string take() && { return std::move(out_); }

 private:
  std::string strong(std::string_view text) const {
    std::string out(text);
    return options_.color ? "\x1b[1m" + out + "\x1b[0m" : out;
  }
  void wrap(std::string lead, std::string_view text);
  void table(const std::vector<Column>& columns, const std::vector<Row>& rows);

  const ReportOptions& options_;
  std::string out_;
};

void TextWriter::write(const Block& block) {
  const std::string indent(kIndent, ' ');
  switch (block.kind) {
    case Block::Kind::kHeadline:
      out_ += (options_.color ? "\x1b[1;31m" + block.text + "\x1b[0m" : block.text) + '\n';
      return;
    case Block::Kind::kPlain: out_ += block.text + '\n'; return;
    case Block::Kind::kHeading:
      out_ += '\n' + strong(block.label);
      if (!block.text.empty()) out_ += ": " + block.text;
      out_ += '\n';
      return;
    case Block::Kind::kLine:
      return wrap(indent + padded(block.label, kLabelWidth, Align::kLeft), block.text);
    case Block::Kind::kParagraph: return wrap(indent, block.text);
    case Block::Kind::kTable: return table(block.columns, block.rows);
  }
}

void TextWriter::wrap(std::string lead, std::string_view text) {
  const std::size_t room = options_.width > lead.size() + 20 ? options_.width - lead.size() : 20;
  while (!text.empty()) {
    std::size_t end = prefix_of(text, room);
    if (end < text.size()) {
      // Only at blanks: a path or a URL stays whole, for copying, whatever its length.
      std::size_t blank = text.rfind(' ', end);
      if (blank == std::string_view::npos || blank == 0) blank = text.find(' ', 1);
      end = std::min(blank, text.size());
    }
    out_.append(lead).append(text.substr(0, end)) += '\n';
    text.remove_prefix(end);
    if (text.starts_with(' ')) text.remove_prefix(1);
    lead.assign(lead.size(), ' ');
  }
}

void TextWriter::table(const std::vector<Column>& columns, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    widths.push_back(display_width(columns[i].title));
    for (const Row& row : rows) widths[i] = std::max(widths[i], display_width(row.cells.at(i)));
  }
  const auto write = [&](auto cell) {
    std::string line(kIndent, ' ');
    for (std::size_t i = 0; i < columns.size(); ++i)
      line += (i == 0 ? "" : "  ") + padded(cell(i), widths[i], columns[i].align);
    trim_right(line);
    return line;
  };
  const bool titled =
      std::any_of(columns.begin(), columns.end(), [](const Column& c) { return !c.title.empty(); });
  if (titled) out_ += write([&](std::size_t i) { return columns[i].title; }) + '\n';
  for (const Row& row : rows) {
    const std::string line = write([&](std::size_t i) { return row.cells[i]; });
    out_ += (row.strong ? strong(line) : line) + '\n';
  }
}

}  // namespace

std::string Page::cut(const std::string& escaped, std::size_t limit) {
  const std::size_t width = display_width(escaped);
  if (limit == 0 || width <= limit || limit < 8) return escaped;
  const std::size_t head = (limit - 3) / 2;
  const std::size_t tail_start = prefix_of(escaped, width - (limit - 3 - head));
  return escaped.substr(0, prefix_of(escaped, head)) + "..." + escaped.substr(tail_start);
}

std::string Page::text(std::string_view bytes, std::size_t limit) const {
  return cut(escape_for_terminal(bytes, options_.utf8 ? Charset::kUtf8 : Charset::kAscii), limit);
}

std::string Page::name(std::string_view bytes, std::size_t limit) const {
  return quoted_unless_plain(text(bytes, limit));
}

std::string Page::size(const std::optional<std::uint64_t>& bytes) {
  return bytes ? human_size(*bytes) : "-";
}

void Page::headline(std::string_view line) {
  blocks_.push_back({.kind = Block::Kind::kHeadline, .text = std::string(line)});
}

void Page::plain(std::string_view line) {
  blocks_.push_back({.kind = Block::Kind::kPlain, .text = std::string(line)});
}

void Page::drawing(std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    plain(std::string(kIndent, ' ').append(lines.substr(0, end)));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

void Page::heading(std::string_view title, std::string_view rest) {
  blocks_.push_back(
      {.kind = Block::Kind::kHeading, .label = std::string(title), .text = std::string(rest)});
}

void Page::line(std::string_view label, std::string_view text) {
  if (text.empty()) return;
  blocks_.push_back(
      {.kind = Block::Kind::kLine, .label = std::string(label), .text = std::string(text)});
}

void Page::paragraph(std::string_view text) {
  if (text.empty()) return;
  blocks_.push_back({.kind = Block::Kind::kParagraph, .text = std::string(text)});
}

void Page::table(const std::vector<Column>& columns, const std::vector<Row>& rows) {
  blocks_.push_back({.kind = Block::Kind::kTable, .columns = columns, .rows = rows});
}

std::string blocks_as_text(const std::vector<Block>& blocks, const ReportOptions& options) {
  TextWriter writer(options);
  for (const Block& block : blocks) writer.write(block);
  return std::move(writer).take();
}

}  // namespace oomwitness
