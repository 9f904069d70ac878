// SPDX-License-Identifier: BSD-2-Clause
// What happens to the store when something happens to its writer or its disk.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <random>

#include <sqlite3.h>

#include "store/database.h"
#include "store_fixture.h"

namespace oomwitness {
namespace {

using ::testing::HasSubstr;

using StoreFault = StoreFixture;

std::string integrity(const std::string& path) {
  auto database = Database::open(path, OpenMode::kReadWrite);
  if (!database) return database.error().message();
  auto check = database->prepare("PRAGMA integrity_check");
  if (!check) return check.error().message();
  const auto row = check->step();
  return row ? std::string(check->text(0)) : row.error().message();
}

void run_sql(const std::string& path, const char* sql) {
  auto database = Database::open(path, OpenMode::kReadWrite);
  ASSERT_TRUE(database) << database.error().message();
  const Status done = database->execute(sql);
  ASSERT_TRUE(done) << done.error().message();
}

// Writes, updates and removes, and tells the number of each incident that is written.
[[noreturn]] void write_for_ever(const std::string& path, int told) {
  auto store = Store::open(path, {.max_bytes = 64U << 20U});
  if (!store) ::_exit(1);
  for (int n = 1;; ++n) {
    Incident incident = make_incident(n);
    if (!store->put(incident)) ::_exit(2);
    if (::write(told, &n, sizeof(n)) != sizeof(n)) ::_exit(3);
    incident.revision = 1;
    incident.victims[0].comm = "renamed";
    if (!store->put(incident) || (n % 50 == 0 && !store->sync())) ::_exit(4);
  }
}

TEST_F(StoreFault, AWriterKilledInTheMiddleLosesNothingThatItSaidItHadWritten) {
  std::mt19937 random(20261125);
  int last = 0;
  for (int round = 0; round < 8; ++round) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    const pid_t writer = ::fork();
    if (writer == 0) write_for_ever(path(), pipe[1]);
    ::close(pipe[1]);
    const int until = std::uniform_int_distribution<>(1, 200)(random);
    int number = 0;
    while (number < until && ::read(pipe[0], &number, sizeof(number)) == sizeof(number)) {
    }
    ::kill(writer, SIGKILL);
    int status = 0;
    ::waitpid(writer, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << WEXITSTATUS(status);
    while (::read(pipe[0], &number, sizeof(number)) == sizeof(number)) {
    }
    ::close(pipe[0]);
    last = std::max(last, number);
    EXPECT_EQ(integrity(path()), "ok");
  }
  Store store = open();
  const auto count = store.count();
  ASSERT_TRUE(count) << count.error().message();
  EXPECT_GE(*count, static_cast<std::uint64_t>(last));
  EXPECT_LE(*count, static_cast<std::uint64_t>(last) + 1) << "written, but not told any more";
  EXPECT_EQ(ids(store.query({.comm = {"app", "renamed"}, .limit = 100'000})).size(), *count)
      << "every one is found by its name";
}

TEST_F(StoreFault, ASecondWriterIsRefused) {
  const Store first = open();
  const auto second = Store::open(path());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().hint(), HasSubstr("another agent"));
}

TEST_F(StoreFault, AReaderReadsWhileAWriterWrites) {
  Store writer = open();
  put(writer, make_incident(1));
  auto reader = Store::open_to_read(path());
  ASSERT_TRUE(reader) << reader.error().message();
  EXPECT_EQ(ids(reader->query({})), ids_of({1}));
  put(writer, make_incident(2));
  EXPECT_EQ(ids(reader->query({})), ids_of({2, 1}));
  EXPECT_FALSE(reader->set_place("x", 1)) << "a reader cannot write";
}

TEST_F(StoreFault, AReaderWithoutTheRightToWriteReadsAfterTheWriter) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
  {
    Store writer = open();
    put(writer, make_incident(1));
  }
  constexpr uid_t kNobody = 65534;
  ASSERT_EQ(::chmod(dir().c_str(), 0755), 0);
  for (const bool with_wal : {true, false}) {
    if (!with_wal) {
      std::filesystem::remove(path() + "-wal");
      std::filesystem::remove(path() + "-shm");
    }
    for (const auto& file : std::filesystem::directory_iterator(dir()))
      ASSERT_EQ(::chmod(file.path().c_str(), 0644), 0);
    EXPECT_EQ(in_child([&] {
                if (::setresuid(kNobody, kNobody, kNobody) != 0) return 1;
                auto reader = Store::open_to_read(path());
                if (!reader) return 2;
                const auto found = reader->query({});
                return found && found->size() == 1 ? 0 : 3;
              }),
              0)
        << (with_wal ? "with" : "without") << " the files of the log";
  }
}

TEST_F(StoreFault, WithoutAStoreTheReaderSaysWhoMakesOne) {
  const auto reader = Store::open_to_read(path());
  ASSERT_FALSE(reader);
  EXPECT_THAT(reader.error().message(), HasSubstr("No such file"));
  EXPECT_THAT(reader.error().hint(), HasSubstr("agent"));
}

TEST_F(StoreFault, AnOlderSchemaIsBroughtUpToDate) {
  {
    Store store = open();
    put(store, make_incident(1));
  }
  run_sql(path(),
          "ALTER TABLE boot DROP COLUMN settled_ns; ALTER TABLE boot DROP COLUMN closed;"
          "PRAGMA user_version = 1");
  const auto reader = Store::open_to_read(path());
  ASSERT_FALSE(reader);
  EXPECT_THAT(reader.error().hint(), HasSubstr("start the agent"));
  Store store = open();
  EXPECT_EQ(ids(store.query({})), ids_of({1}));
  const auto boots = store.boots();
  ASSERT_TRUE(boots && boots->size() == 1U);
  EXPECT_EQ(boots->front().boot_id, make_incident(1).host.boot_id);
  EXPECT_FALSE(boots->front().closed);
}

TEST_F(StoreFault, ANewerSchemaIsLeftAlone) {
  { const Store store = open(); }
  run_sql(path(), "PRAGMA user_version = 99");
  for (const auto& store : {Store::open(path()), Store::open_to_read(path())}) {
    ASSERT_FALSE(store);
    EXPECT_THAT(store.error().message(), HasSubstr("schema 99"));
    EXPECT_THAT(store.error().hint(), HasSubstr("newer oomwitness"));
  }
}

TEST_F(StoreFault, ADatabaseOfSomebodyElseIsLeftAlone) {
  run_sql(path(), "CREATE TABLE bookmarks(url TEXT)");
  const auto store = Store::open(path());
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message(), HasSubstr("another program"));
}

TEST_F(StoreFault, WhatIsNoDatabaseIsToldAsDamage) {
  std::ofstream(path()) << std::string(8192, 'x');
  const auto store = Store::open(path());
  ASSERT_FALSE(store);
  EXPECT_TRUE(is_corruption(store.error())) << store.error().message();
  EXPECT_THAT(store.error().message(), HasSubstr(path()));
  EXPECT_THAT(store.error().hint(), HasSubstr("move the file away"));
}

TEST_F(StoreFault, ADamagedPageIsToldAsDamage) {
  {
    Store store = open();
    for (int n = 1; n <= 500; ++n) put(store, make_incident(n));
    ASSERT_TRUE(store.sync());
  }
  std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
  for (int page = 2; page < 200; ++page) {
    file.seekp(page * 1024);
    file << std::string(1024, '\x55');
  }
  file.close();
  const auto told = [&] {
    auto store = Store::open(path());
    if (!store) return store.error();
    const auto found = store->query({.comm = {"app"}});
    return found ? Error({}, "nothing was noticed") : found.error();
  }();
  EXPECT_TRUE(is_corruption(told)) << told.message();
}

TEST_F(StoreFault, ADamagedIncidentDoesNotHideTheOthers) {
  {
    Store store = open();
    for (const int n : {1, 2, 3}) put(store, make_incident(n));
  }
  run_sql(path(), "UPDATE incident SET json = x'00' WHERE seq = 2");
  Store store = open();
  const auto found = store.after(0, 10);
  EXPECT_EQ(ids(found), ids_of({1, 2, 3}));
  EXPECT_EQ((*found)[1].json, "");
  EXPECT_NE((*found)[2].json, "");
}

// A file system of its own for a child: 0 when the function says so, 77 without the right to.
int on_tmpfs(const std::string& dir, const char* options, const std::function<int()>& function) {
  return in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0) return 77;
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
    if (::mount("tmpfs", dir.c_str(), "tmpfs", 0, options) != 0) return 77;
    return function();
  });
}

TEST_F(StoreFault, AFullDiskIsAnErrorThatEndsWithTheShortage) {
  const int code = on_tmpfs(dir(), "size=512k", [&] {
    auto store = Store::open(path());
    if (!store) return 1;
    int stored = 0;
    Result<bool> put = true;
    while (put && stored < 10'000) {
      put = store->put(make_incident(stored + 1));
      if (put) ++stored;
    }
    if (put || put.error().code() != std::error_code(ENOSPC, std::generic_category())) return 2;
    if (put.error().hint().find("free space") == std::string::npos) return 3;
    if (store->count() != static_cast<std::uint64_t>(stored)) return 4;
    if (::mount("tmpfs", dir().c_str(), "tmpfs", MS_REMOUNT, "size=64m") != 0) return 77;
    if (!store->put(make_incident(stored + 1))) return 5;
    if (store->count() != static_cast<std::uint64_t>(stored) + 1) return 6;
    return integrity(path()) == "ok" ? 0 : 7;
  });
  if (code == 77) GTEST_SKIP() << "no file system can be mounted here";
  EXPECT_EQ(code, 0);
}

TEST_F(StoreFault, AReadOnlyDiskIsAnErrorThatSaysSo) {
  { const Store store = open(); }
  const int code = on_tmpfs(dir(), "size=4m", [&] {
    {
      auto store = Store::open(path());
      if (!store || !store->put(make_incident(1))) return 1;
    }
    if (::mount("tmpfs", dir().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=4m") != 0) return 77;
    const auto writer = Store::open(path());
    if (writer || writer.error().code() != std::error_code(EROFS, std::generic_category()))
      return 2;
    auto reader = Store::open_to_read(path());
    if (!reader) return 3;
    const auto found = reader->query({});
    return found && found->size() == 1 ? 0 : 4;
  });
  if (code == 77) GTEST_SKIP() << "no file system can be mounted here";
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace oomwitness
