// SPDX-License-Identifier: BSD-2-Clause
// HTML and SVG, well-formed by construction: every text and every attribute value is escaped here,
// and there is no other way in but constants of the program.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace oomwitness {

// Text that stands in the program: a tag, the name of an attribute, a style sheet.
class Constant {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): only literals convert, at compile time
  consteval Constant(const char* literal) : text_(literal) {}
  constexpr std::string_view view() const { return text_; }

 private:
  std::string_view text_;
};

struct Attribute {
  Constant name;
  std::string_view value;
};

class Markup {
 public:
  using Attributes = std::initializer_list<Attribute>;

  // <tag name="value">, until the close() that belongs to it.
  void open(Constant tag, Attributes attributes = {});
  void close();
  // A void element of HTML, or an SVG element without content: <tag name="value"/>
  void empty(Constant tag, Attributes attributes = {});
  // <tag>printable</tag>, with what words() takes.
  void element(Constant tag, std::string_view printable, Attributes attributes = {});

  // Text that is printable already (our own, a Page's, JSON): only the markup in it is escaped.
  // A control byte that is left nonetheless becomes \xNN.
  void words(std::string_view printable);
  // Bytes of a process, file or log: as escape_for_terminal shows them, and inert.
  void bytes(std::string_view hostile);
  void constant(Constant text) { out_ += text.view(); }

  std::size_t size() const { return out_.size(); }
  // What another one wrote, whole elements only.
  void append(const Markup& other) { out_ += other.out_; }
  // Closes what is open.
  std::string take() &&;

 private:
  void start(Constant tag, Attributes attributes);

  std::string out_;
  std::vector<std::string_view> open_;
};

}  // namespace oomwitness
