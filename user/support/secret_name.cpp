// SPDX-License-Identifier: BSD-2-Clause
#include "support/secret_name.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>
#include <string>
#include <vector>

namespace oomwitness {
namespace {

template <std::size_t N>
bool one_of(std::string_view s, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), s) != list.end();
}

// "--keyStorePassword2" -> {"key", "store", "password"}
std::vector<std::string> words_of_name(std::string_view name) {
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    const bool hump =
        i > 0 && std::isupper(c) && std::islower(static_cast<unsigned char>(name[i - 1]));
    if ((hump || !std::isalpha(c)) && !words.back().empty()) words.emplace_back();
    if (std::isalpha(c)) words.back() += static_cast<char>(std::tolower(c));
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

bool ends_with_any(std::string_view word, std::span<const std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [word](std::string_view e) { return word.ends_with(e); });
}

// A name that speaks about a secret without holding one: --password-file, --no-password.
bool is_about_a_secret(std::string_view first, std::string_view last) {
  constexpr std::array<std::string_view, 11> kAction{"no",      "without", "allow",  "ask",
                                                     "require", "disable", "enable", "skip",
                                                     "prompt",  "show",    "use"};
  constexpr std::array<std::string_view, 40> kAbout{
      "file",      "path",    "name",    "names",          "id",       "ids",    "ttl",
      "length",    "len",     "policy",  "type",           "provider", "store",  "dir",
      "url",       "uri",     "host",    "port",           "min",      "max",    "size",
      "expiry",    "timeout", "age",     "count",          "manager",  "mount",  "engine",
      "namespace", "version", "enabled", "required",       "stdin",    "helper", "cache",
      "mode",      "source",  "ref",     "authentication", "prefix"};
  return one_of(first, kAction) || one_of(last, kAbout);
}

bool is_secret_key(const std::vector<std::string>& words) {
  constexpr std::array<std::string_view, 5> kJoined{"apikey", "accesskey", "secretkey",
                                                    "privatekey", "authkey"};
  if (ends_with_any(words.back(), kJoined)) return true;
  constexpr std::array<std::string_view, 13> kBefore{
      "api",     "access", "secret", "private", "signing", "encryption", "auth",
      "account", "shared", "master", "license", "service", "ssh"};
  return words.size() > 1 && words.back() == "key" && one_of(words[words.size() - 2], kBefore);
}

bool is_secret_token(const std::vector<std::string>& words) {
  if (!words.back().ends_with("token")) return false;
  // --max-token counts; --eos-token and its like are a language model's vocabulary.
  constexpr std::array<std::string_view, 7> kOrdinary{"max", "min", "num", "bos",
                                                      "eos", "pad", "unk"};
  return words.size() < 2 || !one_of(words[words.size() - 2], kOrdinary);
}

}  // namespace

bool is_secret_name(std::string_view name) {
  const std::vector<std::string> words = words_of_name(name);
  if (words.empty() || is_about_a_secret(words.front(), words.back())) return false;
  constexpr std::array<std::string_view, 6> kStrong{"password", "passwd",     "passphrase",
                                                    "secret",   "credential", "credentials"};
  if (std::any_of(words.begin(), words.end(),
                  [&](const std::string& w) { return ends_with_any(w, kStrong); }))
    return true;
  constexpr std::array<std::string_view, 7> kPass{"pass",    "passwords", "secrets",    "storepass",
                                                  "keypass", "dbpass",    "requirepass"};
  if (one_of(words.back(), kPass)) return true;
  // PWD alone is the working directory, OLDPWD the one before.
  if (words.back() == "pwd" && words.size() > 1 && words.front() != "old") return true;
  return is_secret_key(words) || is_secret_token(words);
}

}  // namespace oomwitness
