// SPDX-License-Identifier: BSD-2-Clause
#include "sink/chart/markup.h"

#include <fmt/format.h>

#include "support/text.h"

namespace oomwitness {
namespace {

enum class Place { kText, kAttribute };

void append_escaped(std::string& out, std::string_view printable, Place place) {
  for (const char c : printable) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '&': out += "&amp;"; continue;
      case '<': out += "&lt;"; continue;
      case '>': out += "&gt;"; continue;
      case '"': out += place == Place::kAttribute ? "&quot;" : "\""; continue;
      case '\n': out += c; continue;
      default: break;
    }
    if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
}

}  // namespace

void Markup::start(Constant tag, Attributes attributes) {
  out_ += '<';
  out_ += tag.view();
  for (const auto& [name, value] : attributes) {
    out_.append(" ").append(name.view()).append("=\"");
    append_escaped(out_, value, Place::kAttribute);
    out_ += '"';
  }
}

void Markup::open(Constant tag, Attributes attributes) {
  start(tag, attributes);
  out_ += '>';
  open_.push_back(tag.view());
}

void Markup::close() {
  out_.append("</").append(open_.back()) += '>';
  open_.pop_back();
}

void Markup::empty(Constant tag, Attributes attributes) {
  start(tag, attributes);
  out_ += "/>";
}

void Markup::element(Constant tag, std::string_view printable, Attributes attributes) {
  open(tag, attributes);
  append_escaped(out_, printable, Place::kText);
  close();
}

void Markup::words(std::string_view printable) {
  append_escaped(out_, printable, Place::kText);
}

void Markup::bytes(std::string_view hostile) {
  words(escape_for_terminal(hostile));
}

std::string Markup::take() && {
  while (!open_.empty()) close();
  return std::move(out_);
}

}  // namespace oomwitness
