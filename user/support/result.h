// SPDX-License-Identifier: BSD-2-Clause
// Result<T>: a value, or an Error that says what was tried, why it failed and what to do next.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <tl/expected.hpp>

namespace oomwitness {

class [[nodiscard]] Error {
 public:
  // `context`: what was tried ("open /dev/kmsg"). `hint`: the next step, may be empty.
  Error(std::error_code code, std::string context, std::string hint = {})
      : code_(code), context_(std::move(context)), hint_(std::move(hint)) {}

  const std::error_code& code() const noexcept { return code_; }
  const std::string& context() const noexcept { return context_; }
  const std::string& hint() const noexcept { return hint_; }
  // "open /dev/kmsg: Permission denied"
  std::string message() const { return code_ ? context_ + ": " + code_.message() : context_; }

  Error during(std::string_view outer) && {
    context_.insert(0, ": ").insert(0, outer);
    return std::move(*this);
  }
  Error with_hint(std::string hint) && {
    hint_ = std::move(hint);
    return std::move(*this);
  }

 private:
  std::error_code code_;
  std::string context_;
  std::string hint_;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

// Accepts both conventions of C APIs: errno values and -errno returns.
inline tl::unexpected<Error> fail(int err, std::string context, std::string hint = {}) {
  return tl::make_unexpected(Error(std::error_code(err < 0 ? -err : err, std::generic_category()),
                                   std::move(context), std::move(hint)));
}

// For a failure without an errno: bad input, a broken rule.
inline tl::unexpected<Error> fail(std::string context, std::string hint = {}) {
  return tl::make_unexpected(Error({}, std::move(context), std::move(hint)));
}

}  // namespace oomwitness

// NOLINTBEGIN(bugprone-macro-parentheses,cppcoreguidelines-macro-usage)
#define OW_CAT2(a, b) a##b
#define OW_CAT(a, b) OW_CAT2(a, b)
#define OW_TRY_IMPL(tmp, decl, expr)                            \
  auto tmp = (expr);                                            \
  if (!tmp) return tl::make_unexpected(std::move(tmp).error()); \
  decl = *std::move(tmp)

// TRY(auto file, open(path)): bind the value or return the error.
#define TRY(decl, expr) OW_TRY_IMPL(OW_CAT(try_, __LINE__), decl, expr)
// CHECK_OK(load()): for a Status: go on or return the error.
#define CHECK_OK(expr)                                           \
  do {                                                           \
    if (auto try_status = (expr); !try_status)                   \
      return tl::make_unexpected(std::move(try_status).error()); \
  } while (0)
// NOLINTEND(bugprone-macro-parentheses,cppcoreguidelines-macro-usage)
