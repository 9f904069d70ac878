// SPDX-License-Identifier: BSD-2-Clause
// Names are hostile text: whatever a process calls itself comes out byte for byte, as valid JSON.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <numeric>

#include "live_test.h"

namespace oomwitness::live {
namespace {

constexpr const char* kTerminal = "\x1b[2J\x1b]0;owned\x07";
constexpr const char* kNotUtf8 = "\xff\xfe\x80 \xc3\x28 \xed\xa0\x80";
constexpr const char* kBackslash = R"(\x41 \xff \\x80 \x5c \x2d "quoted" \u0000 {}%s%n)";

class Hostile : public LiveTest {
 protected:
  // One kill; what the tracer says of it.
  json kill_one(Tracer& tracer, Plan plan) {
    Cgroup box(memory(), Cgroup::unique("hostile"));
    box.limit(24 * kMiB);
    cgroup_ = box.path();
    plan.cgroup = &box;
    plan.words += " adj=1000 alloc=max";
    Provoked hog(plan);
    pid_ = hog.pid();
    hog.go();
    hog.wait_killed();
    return tracer.incident();
  }

  pid_t pid_ = 0;
  std::string cgroup_;
};

TEST_F(Hostile, Comm) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  const std::vector<std::string> all = {
      "\n\x1b[2J\x07\r\t", "\xff\xfe\x80\xc3", R"(a"b\c\xff)", "%s%n%n", "", "fifteen-bytes-x"};
  for (const std::string& comm : all) {
    SCOPED_TRACE("comm in hex: " + hex(comm));
    const json incident = kill_one(tracer, {.words = "comm=" + hex(comm)});
    expect_victim(incident, {.pid = pid_, .comm = comm, .cgroup = cgroup_});
  }
}

TEST_F(Hostile, Argv) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  const std::vector<std::vector<std::string>> all = {
      {"line\nbreak", "\nready: not really", "cr\rlf"},
      {"terminal", kTerminal},
      {kNotUtf8, kNotUtf8},
      {"backslash", kBackslash},
      {"", "empty in front", "", "", "and behind", ""},
      {""},
      // NOLINTNEXTLINE(misc-misleading-bidirectional): it is what a report must not pass on
      {"\u202egnp.exe", "\xf0\x9f\x92\xa3"},
  };
  for (const auto& argv : all) {
    SCOPED_TRACE("argv[0] in hex: " + hex(argv[0]));
    const json incident = kill_one(tracer, {.words = "", .argv = argv});
    expect_victim(incident, {.pid = pid_, .cmdline = argv, .cgroup = cgroup_});
  }
}

TEST_F(Hostile, SecretsInArgvAreMaskedAtTheirLength) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  const std::vector<std::string> argv = {"app", "--password=hunter2", "--port=27017"};
  const json incident = kill_one(tracer, {.words = "", .argv = argv});
  expect_victim(
      incident,
      {.pid = pid_, .cmdline = {"app", "--password=*******", "--port=27017"}, .cgroup = cgroup_});
  for (const std::string& line : tracer.lines())
    EXPECT_EQ(line.find("hunter2"), std::string::npos) << line;
}

TEST_F(Hostile, EmptyArgv) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  const json incident = kill_one(tracer, {.words = "", .argv = {}});
  const json victim = victim_with(incident, pid_);
  // Since 5.18 (dcd46d897adb) exec makes it one empty string.
  const json& cmdline = victim.at("cmdline");
  EXPECT_TRUE(cmdline.empty() || cmdline == json::array({""})) << cmdline.dump();
  expect_victim(incident, {.pid = pid_, .cmdline = all_bytes_of(cmdline), .cgroup = cgroup_});
}

// What is given is a true beginning, and the size says how much there was.
void expect_beginning(const json& victim, const std::vector<std::string>& argv) {
  const auto join = [](const std::vector<std::string>& words) {
    return std::accumulate(words.begin(), words.end(), std::string(),
                           [](std::string all, const std::string& word) {
                             return std::move(all) + word + std::string(1, '\0');
                           });
  };
  const std::string whole = join(argv);
  std::string given = join(all_bytes_of(victim.at("cmdline")));
  given.pop_back();
  EXPECT_GE(given.size(), 4000U);
  EXPECT_LT(given.size(), 65536U) << "a report stays small";
  EXPECT_EQ(whole.compare(0, given.size(), given), 0) << "not the beginning of argv";
  EXPECT_EQ(victim.at("cmdline_bytes"), whole.size());
}

TEST_F(Hostile, HugeArgv) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  std::vector<std::string> four_mib = {"huge"};
  for (int i = 0; i < 40; ++i)
    four_mib.push_back(std::to_string(i) + std::string(kMiB / 10, static_cast<char>('a' + i % 26)));
  const std::vector<std::vector<std::string>> all = {
      four_mib,
      {std::string(131071, 'x')},            // MAX_ARG_STRLEN
      std::vector<std::string>(20000, "y"),  // many small ones
      std::vector<std::string>(5000, "")};   // nothing but ends
  for (const auto& argv : all) {
    SCOPED_TRACE(std::to_string(argv.size()) + " arguments");
    const json incident = kill_one(tracer, {.words = "", .argv = argv, .stack_bytes = 64 * kMiB});
    const json victim = victim_with(incident, pid_);
    if (!victim.is_null()) expect_beginning(victim, argv);
  }
}

TEST_F(Hostile, CgroupName) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  // The kernel forbids newlines in cgroup names, and nothing else but '/' and NUL.
  for (const std::string& name :
       {std::string(kTerminal), std::string(kNotUtf8), std::string("a b\"c'"),
        std::string("$(id);`id`"), std::string(kBackslash), std::string(200, 'n'),
        std::string("\r\t\x01")}) {
    SCOPED_TRACE("cgroup name in hex: " + hex(name));
    Cgroup outer(memory(), Cgroup::unique("outer"));
    outer.limit(16 * kMiB);
    Cgroup inner(outer, name);
    Provoked hog({.words = "adj=1000 alloc=max", .cgroup = &inner});
    hog.go();
    hog.wait_killed();
    expect_victim(tracer.incident(), {.pid = hog.pid(), .cgroup = inner.path()});
  }
}

TEST_F(Hostile, DeepCgroup) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  std::vector<std::unique_ptr<Cgroup>> levels;
  levels.push_back(std::make_unique<Cgroup>(memory(), Cgroup::unique("deep")));
  levels.front()->limit(16 * kMiB);
  for (int i = 0; i < 24; ++i)
    levels.push_back(std::make_unique<Cgroup>(*levels.back(), "level-" + std::to_string(i)));
  Provoked hog({.words = "adj=1000 alloc=max", .cgroup = levels.back().get()});
  hog.go();
  hog.wait_killed();
  const json incident = tracer.incident();
  expect_victim(incident, {.pid = hog.pid(), .cgroup = levels.back()->path()});
  if (tracer.sees_decision()) {
    EXPECT_EQ(incident.at("/scope/memcg/path"_json_pointer), levels.front()->path());
  }
  while (!levels.empty()) levels.pop_back();  // the leaf first
}

// A copy of the provoker under a name of its own, in a folder of its own.
class Copy {
 public:
  explicit Copy(const std::string& name) {
    std::string made = "/tmp/owtest-XXXXXX";
    folder_ = mkdtemp(made.data());
    path_ = folder_ + "/" + name;
    const std::string bytes = read_file(provoker_path());
    // Closed before it is run: a file open for writing cannot be.
    const Fd file(open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
    EXPECT_EQ(write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  Copy(Copy&&) = delete;
  Copy& operator=(Copy&&) = delete;
  ~Copy() {
    remove();
    rmdir(folder_.c_str());
  }
  void remove() const { unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string folder_;
  std::string path_;
};

TEST_F(Hostile, ExeName) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  for (const std::string& name : {std::string("line\nbreak"), std::string(kTerminal),
                                  std::string(kNotUtf8), std::string("odd (deleted)")}) {
    SCOPED_TRACE("exe name in hex: " + hex(name));
    const Copy copy(name);
    const json incident = kill_one(tracer, {.words = "comm=61", .exe = copy.path()});
    expect_victim(incident, {.pid = pid_, .comm = "a", .exe = copy.path(), .cgroup = cgroup_});
    EXPECT_NE(victim_with(incident, pid_).value("exe_deleted", false), true);
  }
}

TEST_F(Hostile, DeletedExe) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("deleted"));
  box.limit(16 * kMiB);
  const Copy copy("gone");
  Provoked hog({.words = "adj=1000 alloc=max", .cgroup = &box, .exe = copy.path()});
  copy.remove();
  hog.go();
  hog.wait_killed();
  const json incident = tracer.incident();
  expect_victim(incident,
                {.pid = hog.pid(), .comm = "gone", .exe = copy.path(), .cgroup = box.path()});
  EXPECT_EQ(victim_with(incident, hog.pid()).at("exe_deleted"), true);
}

}  // namespace
}  // namespace oomwitness::live
