// SPDX-License-Identifier: BSD-2-Clause
#include "support/text.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oomwitness {
namespace {

using namespace std::string_literals;
using testing::ElementsAreArray;

std::string all_bytes() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(static_cast<std::uint8_t>(i));
  return bytes;
}

// Spelt byte by byte on purpose.
// NOLINTBEGIN(misc-misleading-bidirectional)
TEST(EscapeForTerminal, KeepsWhatPrintsAndEscapesTheRest) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"", ""},
      {"java -jar app.jar", "java -jar app.jar"},
      {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
      {"\x1b[31mred\x1b[0m", "\\e[31mred\\e[0m"},
      {"C:\\dir", "C:\\\\dir"},
      {"nul\0byte"s, "nul\\x00byte"},
      {"del\x7f", "del\\x7f"},
      {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
      {"\xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80", "\xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80"},
      {"c1 \xc2\x9b"
       "2J",
       "c1 \\xc2\\x9b2J"},                                  // U+009B is CSI to some terminals
      {"x\xe2\x80\xaegpj.exe", "x\\xe2\\x80\\xaegpj.exe"},  // right-to-left override
      {"a\xe2\x80\x8b"
       "b",
       "a\\xe2\\x80\\x8bb"},                // zero-width space
      {"\xef\xbb\xbf", "\\xef\\xbb\\xbf"},  // byte order mark
      {"bad \xff\xfe", "bad \\xff\\xfe"},
      {"cut \xe6\x97", "cut \\xe6\\x97"},
      {"overlong \xc0\xaf \xe0\x80\xaf", "overlong \\xc0\\xaf \\xe0\\x80\\xaf"},
      {"surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80"},
      {"beyond \xf4\x90\x80\x80", "beyond \\xf4\\x90\\x80\\x80"},
      {"private \xee\x80\x80", "private \\xee\\x80\\x80"},
  };
  for (const auto& [in, out] : table) EXPECT_EQ(escape_for_terminal(in), out);
}

TEST(EscapeForTerminal, AsciiOnlyEscapesEveryOtherByte) {
  EXPECT_EQ(escape_for_terminal("gr\xc3\xbcn", Charset::kAscii), "gr\\xc3\\xbcn");
}
// NOLINTEND(misc-misleading-bidirectional)

TEST(EscapeForTerminal, NoControlByteSurvives) {
  for (const char c : escape_for_terminal(all_bytes())) {
    const auto byte = static_cast<std::uint8_t>(c);
    EXPECT_TRUE(byte >= 0x20 && byte < 0x7f) << int{byte};
  }
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("gr\xc3\xbc\xc3\x9f"), 4U);
  EXPECT_EQ(display_width("\xe6\x97\xa5\xe6\x9c\xac"), 4U);
  EXPECT_EQ(display_width("e\xcc\x81"), 1U);
}

void expect_both_ways(const std::string& bytes, const std::string& text) {
  EXPECT_EQ(to_valid_utf8(bytes), text);
  EXPECT_EQ(from_valid_utf8(text), bytes);
}

TEST(ToValidUtf8, IsUnambiguousAndGivesTheBytesBack) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"plain \\ text", "plain \\ text"},
      {"dev-disk-by\\x2duuid.device", "dev-disk-by\\x2duuid.device"},  // systemd's own escape
      {"\xff", "\\xff"},
      {"\\xff", "\\x5cxff"},
      {"\\x5c", "\\x5cx5c"},
      {"\\x7f \\xFF", "\\x7f \\xFF"},
      {"\\\xff", "\\\\xff"},
      {"\\\\xff", "\\\\x5cxff"},
      {"\\x\xff", "\\x\\xff"},
      {"a\0b\x1b"s, "a\0b\x1b"s},  // JSON has its own escapes for these
  };
  for (const auto& [bytes, text] : table) expect_both_ways(bytes, text);
  EXPECT_EQ(from_valid_utf8(to_valid_utf8(all_bytes())), all_bytes());
}

// Every string over the characters that matter to the scheme, so that no combination is ambiguous.
TEST(ToValidUtf8, RoundTripsEveryShortString) {
  const std::string alphabet = "\\x5c8f\xff";
  std::vector<std::string> strings{""};
  for (std::size_t i = 0; i < strings.size(); ++i) {
    EXPECT_EQ(from_valid_utf8(to_valid_utf8(strings[i])), strings[i]);
    if (strings[i].size() < 5)
      for (const char c : alphabet) strings.push_back(strings[i] + c);
  }
}

TEST(HumanSize, ExactBelowTenKibThenThreeDigits) {
  constexpr std::uint64_t kMib = 1ULL << 20;
  const std::vector<std::pair<std::uint64_t, std::string>> table{
      {0, "0 B"},
      {4096, "4,096 B"},
      {10239, "10,239 B"},
      {10240, "10 KiB"},
      {1536 * 1024, "1.5 MiB"},
      {103312 * 1024, "101 MiB"},
      {512 * kMib, "512 MiB"},
      {135707920ULL * 1024, "129 GiB"},
      {1024 * kMib - 1, "1 GiB"},
      {1023 * kMib, "1023 MiB"},
      {1496 * kMib, "1.46 GiB"},
      {std::numeric_limits<std::uint64_t>::max(), "16 EiB"},
  };
  for (const auto& [bytes, text] : table) EXPECT_EQ(human_size(bytes), text);
}

TEST(HumanDuration, KeepsThreeDigits) {
  const std::vector<std::pair<std::uint64_t, std::string>> table{
      {0, "0 ns"},
      {999, "999 ns"},
      {312'400, "312 us"},
      {3'420'000, "3.42 ms"},
      {9'999'000, "10.0 ms"},
      {500'000'000, "500 ms"},
      {999'600'000, "1.00 s"},
      {2'030'000'000, "2.03 s"},
      {59'960'000'000, "1 min 0 s"},
      {72'000'000'000, "1 min 12 s"},
      {7'500'000'000'000, "2 h 5 min"},
      {273'600'000'000'000, "3 d 4 h"},
  };
  for (const auto& [ns, text] : table) EXPECT_EQ(human_duration(ns), text);
}

TEST(Thousands, GroupsDigitsOfAnyInteger) {
  EXPECT_EQ(thousands(0), "0");
  EXPECT_EQ(thousands(999U), "999");
  EXPECT_EQ(thousands(-1234), "-1,234");
  EXPECT_EQ(thousands(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
  EXPECT_EQ(thousands(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
}

TEST(Rfc3339, WritesAndReads) {
  const std::int64_t when = 1'795'397'025'123'456'789;
  EXPECT_EQ(rfc3339_utc(when), "2026-11-23T01:23:45.123456789Z");
  EXPECT_EQ(rfc3339_utc(when, 3), "2026-11-23T01:23:45.123Z");
  EXPECT_EQ(rfc3339_utc(when, 0), "2026-11-23T01:23:45Z");
  EXPECT_EQ(rfc3339_utc(std::numeric_limits<std::int64_t>::min()),
            "1677-09-21T00:12:43.145224192Z");
  EXPECT_EQ(rfc3339_utc(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(parse_rfc3339_utc("2026-11-23T01:23:45.123456789Z").value_or(0), when);
  EXPECT_EQ(parse_rfc3339_utc("1969-12-31T23:59:59.999999999Z").value_or(0), -1);
  EXPECT_EQ(parse_rfc3339_utc("1970-01-01T00:00:00.5Z").value_or(0), 500'000'000);
  EXPECT_EQ(parse_rfc3339_utc("1970-01-01T00:00:01Z").value_or(0), 1'000'000'000);
}

TEST(Rfc3339, RefusesWhatIsNoTime) {
  for (const std::string_view text :
       {"", "Z", "2026-11-23T01:23:45", "2026-11-23T01:23:45.Z", "2026-02-30T00:00:00Z",
        "2026-11-23T24:00:00Z", "2026-11-23 01:23:45Z", "2026-11-23T01:23:45.1234567890Z",
        "2026-11-23T01:23:45.-1Z", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z",
        "+026-11-23T01:23:45Z"})
    EXPECT_FALSE(parse_rfc3339_utc(text)) << text;
}

struct RedactCase {
  std::vector<std::string> argv;
  std::vector<std::string> expected;
};

const std::vector<RedactCase>& secrets() {
  static const std::vector<RedactCase> cases{
      {{"app", "--password=hunter2", "x"}, {"app", "--password=*******", "x"}},
      {{"app", "--password", "hunter2", "x"}, {"app", "--password", "*******", "x"}},
      {{"app", "--db-password", "two words"}, {"app", "--db-password", "*********"}},
      {{"app", "--password=a,b;c d"}, {"app", "--password=*******"}},
      {{"app", "-storepass", "changeit"}, {"app", "-storepass", "********"}},
      {{"java", "-Djavax.net.ssl.keyStorePassword=changeit", "-jar", "a.jar"},
       {"java", "-Djavax.net.ssl.keyStorePassword=********", "-jar", "a.jar"}},
      {{"java", "-Dapp.clientSecret=abc"}, {"java", "-Dapp.clientSecret=***"}},
      {{"env", "DB_PASSWORD=s3cr3t", "SECRET_KEY_BASE=0a1b", "run"},
       {"env", "DB_PASSWORD=******", "SECRET_KEY_BASE=****", "run"}},
      {{"docker", "run", "--env=MYSQL_ROOT_PASSWORD=abc"},
       {"docker", "run", "--env=MYSQL_ROOT_PASSWORD=***"}},
      {{"app", "--api-key=xyz", "--apiKey", "xyz", "--private-key=MIIE"},
       {"app", "--api-key=***", "--apiKey", "***", "--private-key=****"}},
      {{"app", "--token=abc", "--auth-token", "abc", "ACCESS_TOKEN=abc"},
       {"app", "--token=***", "--auth-token", "***", "ACCESS_TOKEN=***"}},
      {{"psql", "postgres://bob:pw@db/x?sslmode=off"},
       {"psql", "postgres://bob:**@db/x?sslmode=off"}},
      {{"app", "redis://:pw@cache:6379/0"}, {"app", "redis://:**@cache:6379/0"}},
      {{"app", "https://x.org/a?token=abc&page=2"}, {"app", "https://x.org/a?token=***&page=2"}},
      {{"app", "Server=db;User=sa;Password=abc;Timeout=5"},
       {"app", "Server=db;User=sa;Password=***;Timeout=5"}},
      {{"mount", "-o", "username=bob,password=abc,ro"},
       {"mount", "-o", "username=bob,password=***,ro"}},
      {{"curl", "-H", "Authorization: Bearer abc.def", "x"},
       {"curl", "-H", "Authorization:***************", "x"}},
      {{"curl", "-H", "X-Api-Key: abc"}, {"curl", "-H", "X-Api-Key:****"}},
      {{"curl", "-u", "bob:pw", "http://h/"}, {"curl", "-u", "bob:**", "http://h/"}},
      {{"sh", "-c", "curl -H 'Authorization: Bearer abc' http://h/"},
       {"sh", "-c", "curl -H 'Authorization: Bearer ***' http://h/"}},
      {{"sh", "-c", "PGPASSWORD=pw psql -h db; mysql -psecret db"},
       {"sh", "-c", "PGPASSWORD=** psql -h db; mysql -p****** db"}},
      {{"sh", "-c", "cd /x && mysql -psecret db"}, {"sh", "-c", "cd /x && mysql -p****** db"}},
      {{"/usr/bin/mysqldump", "-psecret", "-ubob"}, {"/usr/bin/mysqldump", "-p******", "-ubob"}},
      {{"sudo", "mysql", "-psecret"}, {"sudo", "mysql", "-p******"}},
      {{"sshpass", "-p", "pw", "ssh", "h"}, {"sshpass", "-p", "**", "ssh", "h"}},
      {{"redis-cli", "-a", "pw"}, {"redis-cli", "-a", "**"}},
      {{"openssl", "rsa", "-passin", "pass:pw"}, {"openssl", "rsa", "-passin", "pass:**"}},
      {{"x", "AKIAIOSFODNN7EXAMPLE"}, {"x", "********************"}},
      {{"x", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1"},
       {"x", "*******************************************"}},
      {{"x", "ghp_0123456789abcdefghijABCDEFGHIJ012345"},
       {"x", "****************************************"}},
  };
  return cases;
}

void expect_masked(RedactCase c) {
  const std::vector<std::string> original = c.argv;
  EXPECT_GT(redact_argv(c.argv), 0U) << original[1];
  EXPECT_THAT(c.argv, ElementsAreArray(c.expected));
  EXPECT_EQ(redact_argv(c.argv), 0U) << "a second pass finds nothing new: " << original[1];
}

TEST(RedactArgv, MasksSecretsInPlaceAndInLength) {
  for (const RedactCase& c : secrets()) expect_masked(c);
}

TEST(RedactArgv, KeepsOrdinaryArguments) {
  std::vector<std::string> argv{"/opt/passwords/token server",
                                "--max-tokens=512",
                                "--max-token",
                                "5",
                                "--password-file=/etc/pw",
                                "--password-file",
                                "/run/pw",
                                "--no-password",
                                "db",
                                "--tls-private-key=/etc/ssl/k.pem",
                                "--tls-private-key",
                                "/etc/ssl/k.pem",
                                "--key=2",
                                "-p8080",
                                "-p",
                                "8080",
                                "-u",
                                "1000:1000",
                                "PWD=/home/bob",
                                "OLDPWD=/tmp",
                                "--pass=2",
                                "--token-ttl=1h",
                                "--eos-token=</s>",
                                "--secret-name=db",
                                "--credentials=false",
                                "--tokenizer=bpe",
                                "-Xmx512m",
                                "-XX:+UseG1GC",
                                "--author=bob",
                                "git@github.com:x/y.git",
                                "ssh://git@host/x",
                                "http://h:80/p@th",
                                "--config",
                                "/etc/mongod.conf",
                                "vault-secret:1.2",
                                "-o",
                                "PasswordAuthentication=no",
                                "credential.helper=store",
                                "-e",
                                "a=b",
                                "--password-stdin",
                                "registry.example",
                                "sk-learn",
                                "eyJ",
                                "--bypass=on",
                                "--compass",
                                "north",
                                "--password",
                                "--verbose",
                                "--secretless",
                                "--monkey=1",
                                "--turkey",
                                "x y  z"};
  const std::vector<std::string> original = argv;
  EXPECT_EQ(redact_argv(argv), 0U);
  EXPECT_THAT(argv, ElementsAreArray(original));
}

std::string nul_separated(const std::vector<std::string>& argv) {
  std::string raw;
  for (const std::string& arg : argv) raw += arg + '\0';
  return raw;
}

TEST(RedactArgvBytes, SameRulesOnRawBytes) {
  for (const RedactCase& c : secrets()) {
    std::string raw = nul_separated(c.argv);
    EXPECT_GT(redact_argv_bytes(raw), 0U);
    EXPECT_EQ(raw, nul_separated(c.expected));
  }
}

TEST(RedactArgvBytes, TakesAnyBytesAndACutEnd) {
  std::string cut = "app\0--password\0hunt"s;
  EXPECT_EQ(redact_argv_bytes(cut), 1U);
  EXPECT_EQ(cut, "app\0--password\0****"s);
  for (std::string raw : {""s, "\0"s, "\0\0\0"s, "=\0:\0--\0-\0://\0@\0"s, "--password"s,
                          all_bytes(), "a=b=://:@"s, "Authorization:"s, "\"'\0 ' \" "s}) {
    const std::size_t size = raw.size();
    redact_argv_bytes(raw);
    EXPECT_EQ(raw.size(), size);
  }
}

}  // namespace
}  // namespace oomwitness
