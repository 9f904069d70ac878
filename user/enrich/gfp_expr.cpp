// SPDX-License-Identifier: BSD-2-Clause
#include "enrich/gfp_expr.h"

#include <algorithm>
#include <array>
#include <string>

#include "enrich/number.h"
#include "enrich/text_scan.h"

namespace oomwitness {
namespace {

constexpr int kMaxDepth = 256;

// Words that can make up the cast in front of an operand.
constexpr std::array<std::string_view, 12> kTypeWords = {
    "unsigned", "signed", "long",  "int",   "gfp_t",    "__force",
    "u32",      "u64",    "__u32", "__u64", "uint32_t", "uint64_t"};

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kWordBytes =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

std::string_view leading_word(std::string_view text) {
  return text.substr(0, text.find_first_not_of(kWordBytes));
}

struct BinaryOperator {
  std::string_view token;
  int precedence;  // C's order, loosest first
};

constexpr std::array kOperators = {
    BinaryOperator{"<<", 4}, BinaryOperator{">>", 4}, BinaryOperator{"|", 1},
    BinaryOperator{"^", 2},  BinaryOperator{"&", 3},  BinaryOperator{"+", 5},
    BinaryOperator{"-", 5},
};

class Evaluator {
 public:
  explicit Evaluator(std::string_view text) : rest_(text) {}

  Result<std::uint64_t> run() {
    TRY(const auto value, binary(0, 0));
    skip_blanks();
    if (!rest_.empty()) return reject();
    return value;
  }

 private:
  // NOLINTBEGIN(misc-no-recursion): as deep as the text nests, at most kMaxDepth
  // Precedence climbing: operators that bind tighter than `floor`.
  Result<std::uint64_t> binary(int floor, int depth) {
    TRY(auto left, unary(depth));
    for (;;) {
      const BinaryOperator* found = next_operator();
      if (found == nullptr || found->precedence <= floor) return left;
      rest_.remove_prefix(found->token.size());
      TRY(const auto right, binary(found->precedence, depth + 1));
      TRY(left, apply(found->token, left, right));
    }
  }

  Result<std::uint64_t> unary(int depth) {
    if (depth > kMaxDepth) return fail("an expression is nested too deep");
    skip_blanks();
    if (eat_prefix(rest_, "~")) {
      TRY(const auto value, unary(depth + 1));
      return ~value;
    }
    if (eat_prefix(rest_, "(")) {
      if (eat_cast()) return unary(depth + 1);
      TRY(const auto value, binary(0, depth + 1));
      skip_blanks();
      if (!eat_prefix(rest_, ")")) return reject();
      return value;
    }
    return literal();
  }
  // NOLINTEND(misc-no-recursion)

  // The words of a cast after its '('; leaves everything in place when it is none.
  bool eat_cast() {
    std::string_view after = rest_;
    bool any = false;
    for (;;) {
      while (!after.empty() && after.front() == ' ') after.remove_prefix(1);
      const auto word = leading_word(after);
      if (word.empty()) break;
      if (std::find(kTypeWords.begin(), kTypeWords.end(), word) == kTypeWords.end()) return false;
      after.remove_prefix(word.size());
      any = true;
    }
    if (!any || !eat_prefix(after, ")")) return false;
    rest_ = after;
    return true;
  }

  Result<std::uint64_t> literal() {
    std::string_view word = leading_word(rest_);
    if (word.empty() || kDigits.find(word.front()) == std::string_view::npos) return reject();
    const std::size_t size = word.size();
    while (word.size() > 1 && std::string_view("uUlL").find(word.back()) != std::string_view::npos)
      word.remove_suffix(1);
    const bool hex = eat_prefix(word, "0x") || eat_prefix(word, "0X");
    const bool octal = !hex && word.size() > 1 && word.front() == '0';
    const auto value = parse_number<std::uint64_t>(word, hex ? 16 : octal ? 8 : 10);
    if (!value) return reject();
    rest_.remove_prefix(size);
    return *value;
  }

  static Result<std::uint64_t> apply(std::string_view op, std::uint64_t left, std::uint64_t right) {
    if (op == "|") return left | right;
    if (op == "^") return left ^ right;
    if (op == "&") return left & right;
    if (op == "+") return left + right;
    if (op == "-") return left - right;
    if (right >= 64) return fail("an expression shifts by " + std::to_string(right));
    return op == "<<" ? left << right : left >> right;
  }

  const BinaryOperator* next_operator() {
    skip_blanks();
    // "||" and "&&" are other operators; what follows the first character then fails as an operand.
    const auto* found =
        std::find_if(kOperators.begin(), kOperators.end(),
                     [this](const BinaryOperator& op) { return rest_.starts_with(op.token); });
    return found == kOperators.end() ? nullptr : &*found;
  }

  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t'))
      rest_.remove_prefix(1);
  }

  tl::unexpected<Error> reject() const {
    return fail("an expression goes on with '" + std::string(rest_.substr(0, 24)) +
                "', which is not a constant");
  }

  std::string_view rest_;
};

}  // namespace

Result<std::uint64_t> evaluate_flag_expression(std::string_view text) {
  return Evaluator(text).run();
}

}  // namespace oomwitness
