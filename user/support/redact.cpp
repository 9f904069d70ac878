// SPDX-License-Identifier: BSD-2-Clause
// Secrets in command lines. Works on raw bytes in place, before anything else keeps a copy. Errs on
// the side of masking where a name says "secret", on the side of keeping where only a value's looks
// do.
#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "support/secret_name.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using Word = std::span<char>;
constexpr auto kNone = std::string_view::npos;

std::string_view view(Word word) {
  return {word.data(), word.size()};
}

bool mask(Word word) {
  const bool changed = std::any_of(word.begin(), word.end(), [](char c) { return c != '*'; });
  std::fill(word.begin(), word.end(), '*');
  return changed;
}

bool is_alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}
bool is_name_char(char c) {
  return is_alnum(c) || c == '_' || c == '-' || c == '.';
}
bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

template <std::size_t N>
bool one_of(std::string_view s, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), s) != list.end();
}

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// ---- values

bool is_path(std::string_view value) {
  constexpr std::array<std::string_view, 18> kStarts{
      "./",    "../",   "~/",    "/etc/", "/var/", "/run/",  "/home/", "/root/", "/usr/",
      "/opt/", "/tmp/", "/srv/", "/mnt/", "/dev/", "/proc/", "/data/", "file:",  "/secrets/"};
  return std::any_of(kStarts.begin(), kStarts.end(),
                     [value](std::string_view start) { return value.starts_with(start); });
}

// What stands after a secret's name and is none: switches, references, small numbers, nothing.
bool is_no_secret(std::string_view value) {
  constexpr std::array<std::string_view, 10> kPlain{"",   "-",    "true", "false", "yes",
                                                    "no", "none", "null", "stdin", "prompt"};
  if (one_of(lower(value), kPlain) || is_path(value) || value.starts_with("env:")) return true;
  if (value.starts_with("${") || value.starts_with("$(")) return true;
  // --pass=2 of an encoder, --token=3; longer numbers may be a PIN.
  return value.size() <= 2 && std::all_of(value.begin(), value.end(), [](char c) {
           return std::isdigit(static_cast<unsigned char>(c)) != 0;
         });
}

bool mask_value(Word value) {
  // The quotes of a shell line or a connection string are not part of it.
  while (!value.empty() && (value.front() == '"' || value.front() == '\''))
    value = value.subspan(1);
  while (!value.empty() && (value.back() == '"' || value.back() == '\''))
    value = value.first(value.size() - 1);
  return !is_no_secret(view(value)) && mask(value);
}

std::size_t run_of(std::string_view s, std::size_t from, bool (*accept)(char)) {
  std::size_t end = from;
  while (end < s.size() && accept(s[end])) ++end;
  return end - from;
}

bool is_token_char(char c) {
  return is_alnum(c) || c == '_' || c == '-';
}
bool is_upper_or_digit(char c) {
  return is_alnum(c) && !std::islower(static_cast<unsigned char>(c));
}
bool is_jwt_char(char c) {
  return is_token_char(c) || c == '.';
}

struct Shape {
  std::string_view prefix;
  std::size_t min_rest;
  bool (*accept)(char);
};

// Keys that services give a fixed prefix, so that scanners can find them; eyJ is base64 for `{"`.
bool mask_known_shapes(Word word) {
  constexpr std::array<Shape, 17> kShapes{{
      {"AKIA", 16, is_upper_or_digit},
      {"ASIA", 16, is_upper_or_digit},
      {"AIza", 35, is_token_char},
      {"ghp_", 30, is_token_char},
      {"gho_", 30, is_token_char},
      {"ghu_", 30, is_token_char},
      {"ghs_", 30, is_token_char},
      {"ghr_", 30, is_token_char},
      {"github_pat_", 30, is_token_char},
      {"glpat-", 16, is_token_char},
      {"xoxb-", 16, is_token_char},
      {"xoxp-", 16, is_token_char},
      {"xapp-", 16, is_token_char},
      {"sk-", 32, is_token_char},
      {"sk_live_", 16, is_token_char},
      {"hvs.", 20, is_token_char},
      {"npm_", 30, is_token_char},
  }};
  bool changed = false;
  const std::string_view text = view(word);
  const auto starts_word = [text](std::size_t at) {
    return at == 0 || !is_token_char(text[at - 1]);
  };
  for (const Shape& shape : kShapes) {
    for (auto at = text.find(shape.prefix); at != kNone; at = text.find(shape.prefix, at + 1)) {
      const std::size_t rest = run_of(text, at + shape.prefix.size(), shape.accept);
      if (rest >= shape.min_rest && starts_word(at))
        changed |= mask(word.subspan(at, shape.prefix.size() + rest));
    }
  }
  for (auto at = text.find("eyJ"); at != kNone; at = text.find("eyJ", at + 1)) {
    const std::size_t size = run_of(text, at, is_jwt_char);
    const std::string_view jwt = text.substr(at, size);
    if (size > 30 && starts_word(at) && std::count(jwt.begin(), jwt.end(), '.') >= 1)
      changed |= mask(word.subspan(at, size));
  }
  if (const auto at = text.find("PRIVATE KEY-----"); at != kNone)
    changed |= mask(word.subspan(at + 16));
  return changed;
}

// scheme://user:PASSWORD@host
bool mask_url_passwords(Word word) {
  bool changed = false;
  const std::string_view text = view(word);
  for (auto at = text.find("://"); at != kNone; at = text.find("://", at + 3)) {
    const std::size_t begin = at + 3;
    const std::size_t end = std::min(text.find_first_of("/?# \t\n\"'", begin), text.size());
    const std::size_t host = text.substr(0, end).rfind('@');
    if (host == kNone || host < begin) continue;
    const std::size_t colon = text.substr(0, host).find(':', begin);
    if (colon != kNone) changed |= mask(word.subspan(colon + 1, host - colon - 1));
  }
  return changed;
}

// NAME=value anywhere in the word: "--password=x", "DB_PASSWORD=x", "-Da.b.secret=x",
// "?token=x&y=z", "user=u,password=x". At the start of a word the value goes to its end, within a
// list to the next separator.
bool mask_assignments(Word word) {
  bool changed = false;
  const std::string_view text = view(word);
  for (auto eq = text.find('='); eq != kNone; eq = text.find('=', eq + 1)) {
    std::size_t begin = eq;
    while (begin > 0 && is_name_char(text[begin - 1])) --begin;
    if (!is_secret_name(text.substr(begin, eq - begin))) continue;
    const std::size_t end = begin == 0 ? kNone : text.find_first_of(",;& \t\n\"'", eq + 2);
    const std::size_t stop = std::min(end, text.size());
    changed |= mask_value(word.subspan(eq + 1, stop - eq - 1));
    eq = stop - 1;
  }
  return changed;
}

// ---- whole command lines

enum class Next { kOrdinary, kSecret, kUserPassword, kAuthorization };

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// "--name" or "-n" and nothing else: no value behind '='.
bool is_option(std::string_view word) {
  return word.size() > 1 && word[0] == '-' && std::all_of(word.begin(), word.end(), is_name_char);
}

class Redactor {
 public:
  // True: changed.
  bool word(Word w) {
    note_program(view(w));
    const Next now = std::exchange(next_, Next::kOrdinary);
    const std::string_view text = view(w);
    if (now == Next::kAuthorization) return authorization(w);
    if (now == Next::kSecret && !text.starts_with("--")) return mask_value(w);
    if (now == Next::kUserPassword) return after_colon(w);
    if (bool changed = false; program_rule(w, changed)) return changed;
    if (text.starts_with("pass:") && mask(w.subspan(5))) return true;  // openssl -passin pass:x
    if (is_option(text) && is_secret_name(text)) {
      next_ = Next::kSecret;
      return false;
    }
    bool changed = header(w);
    changed |= mask_url_passwords(w);
    changed |= mask_assignments(w);
    changed |= mask_known_shapes(w);
    return changed;
  }

  // A shell line, a header, a script: an argument with words of its own.
  bool words(Word argument) {
    bool changed = false;
    const std::string_view text = view(argument);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = run_of(text, at, [](char c) { return !is_space(c); });
      Word w = argument.subspan(at, size);
      at += size + run_of(text, at + size, is_space);
      while (!w.empty() && (w.front() == '"' || w.front() == '\'')) w = w.subspan(1);
      while (!w.empty() && (w.back() == '"' || w.back() == '\'')) w = w.first(w.size() - 1);
      if (!w.empty()) changed |= word(w);
    }
    return changed;
  }

 private:
  // The program a word is an argument of: the first word of a command, past what runs another one.
  void note_program(std::string_view text) {
    constexpr std::array<std::string_view, 5> kWrappers{"sudo", "env", "exec", "nohup", "timeout"};
    constexpr std::array<std::string_view, 4> kSeparators{"&&", "||", "|", ";"};
    if (std::exchange(command_ended_, text.ends_with(';')) || one_of(text, kSeparators))
      program_.clear();
    if (one_of(text, kSeparators)) return;
    if (program_.empty() && text.find('=') == kNone && !one_of(base_name(text), kWrappers))
      program_ = base_name(text);
  }

  // "Name: value" of HTTP, its value in the words that follow or right behind the colon.
  bool header(Word w) {
    const std::string_view text = view(w);
    const std::size_t colon = text.find(':');
    if (colon == kNone || colon == 0 || text.substr(colon).starts_with("://")) return false;
    const std::string name = lower(text.substr(0, colon));
    if (!std::all_of(name.begin(), name.end(), is_name_char)) return false;
    const bool authorization = name == "authorization" || name == "proxy-authorization";
    if (!authorization && name != "cookie" && (is_option(name) || !is_secret_name(name)))
      return false;
    if (colon + 1 < text.size()) {
      // Without a blank it may as well be an image and its tag.
      const bool value = authorization || is_space(text[colon + 1]) || name.starts_with("x-");
      return value && mask_value(w.subspan(colon + 1));
    }
    next_ = authorization ? Next::kAuthorization : Next::kSecret;
    return false;
  }

  bool authorization(Word w) {
    constexpr std::array<std::string_view, 6> kSchemes{"bearer", "basic",     "token",
                                                       "digest", "negotiate", "apikey"};
    if (!one_of(lower(view(w)), kSchemes)) return mask_value(w);
    next_ = Next::kSecret;
    return false;
  }

  static bool after_colon(Word w) {
    const std::size_t colon = view(w).find(':');
    return colon != kNone && mask_value(w.subspan(colon + 1));
  }

  // Short options mean a password only for programs known for it.
  bool program_rule(Word w, bool& changed) {
    const std::string_view text = view(w);
    const bool mysql = program_.starts_with("mysql") || program_.starts_with("mariadb");
    if ((mysql || program_ == "sshpass") && text.starts_with("-p") && text.size() > 2) {
      changed = mask(w.subspan(2));
      return true;
    }
    if ((program_ == "sshpass" && text == "-p") || (program_ == "redis-cli" && text == "-a")) {
      next_ = Next::kSecret;
      return true;
    }
    const bool user = text == "-u" || text == "--user" || text == "-U" || text == "--proxy-user";
    if (program_ == "curl" && user) {
      next_ = Next::kUserPassword;
      return true;
    }
    return false;
  }

  std::string program_;
  bool command_ended_ = false;  // the last word ended in ';'
  Next next_ = Next::kOrdinary;
};

// "-c", "-lc": what follows is a script, not a value.
bool is_script_option(std::string_view word) {
  return word.size() > 1 && word.size() < 5 && word[0] == '-' && word[1] != '-' &&
         word.back() == 'c';
}

std::size_t redact(std::span<const Word> arguments) {
  std::size_t changed = 0;
  Redactor redactor;
  bool script = false;
  for (const Word argument : arguments) {
    bool touched = !script && redactor.word(argument);
    if (std::any_of(argument.begin(), argument.end(), is_space) || script)
      touched |= Redactor().words(argument);
    if (touched) ++changed;
    script = is_script_option(view(argument));
  }
  return changed;
}

}  // namespace

std::size_t redact_argv(std::vector<std::string>& argv) {
  const std::vector<Word> words(argv.begin(), argv.end());
  return redact(words);
}

std::size_t redact_argv_bytes(std::span<char> nul_separated) {
  std::vector<Word> words;
  while (!nul_separated.empty()) {
    const std::size_t size = std::min(view(nul_separated).find('\0'), nul_separated.size());
    words.push_back(nul_separated.first(size));
    nul_separated = nul_separated.subspan(std::min(size + 1, nul_separated.size()));
  }
  return redact(words);
}

}  // namespace oomwitness
