// SPDX-License-Identifier: BSD-2-Clause
#include "store/store.h"

#include <sys/stat.h>

#include <algorithm>
#include <random>

#include "incident/json.h"
#include "store/packed_json.h"
#include "store_fixture.h"

namespace oomwitness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using StoreTest = StoreFixture;

// What no compression makes smaller.
std::string noise(std::size_t size) {
  static std::mt19937 random(1);
  std::uniform_int_distribution<> letter('!', '}');
  std::string text(size, ' ');
  std::generate(text.begin(), text.end(), [&] { return static_cast<char>(letter(random)); });
  return text;
}

TEST_F(StoreTest, KeepsAnIncidentAsItIs) {
  Store store = open();
  Incident incident = make_incident(1);
  incident.victims[0].comm = "a\xff\n\"'; DROP TABLE incident;";
  put(store, incident);
  const auto found = store.query({});
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_EQ(found->size(), 1U);
  const auto read = incident_from_json(found->front().json);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, incident);
}

TEST_F(StoreTest, TheSameRevisionIsWrittenOnce) {
  Store store = open();
  put(store, make_incident(1));
  EXPECT_THAT(store.put(make_incident(1)), ::testing::Optional(false));
  Incident update = make_incident(1);
  update.revision = 2;
  put(store, update);
  Incident late = make_incident(1);
  late.revision = 1;
  EXPECT_THAT(store.put(late), ::testing::Optional(false)) << "the store has a later one";
  const auto found = store.query({});
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().revision, 2U);
}

TEST_F(StoreTest, IncidentsStayAfterItIsClosed) {
  {
    Store store = open();
    put(store, make_incident(1));
  }
  Store store = open();
  EXPECT_EQ(ids(store.query({})), ids_of({1}));
  EXPECT_THAT(store.put(make_incident(1)), ::testing::Optional(false));
}

TEST_F(StoreTest, AnUpdateComesAgainAfterWhatWasSent) {
  Store store = open();
  put(store, make_incident(1));
  put(store, make_incident(2));
  const auto first = store.after(0, 10);
  EXPECT_EQ(ids(first), ids_of({1, 2}));
  Incident update = make_incident(1);
  update.revision = 1;
  put(store, update);
  const auto then = store.after(first->back().seq, 10);
  EXPECT_EQ(ids(then), ids_of({1}));
  EXPECT_EQ(then->front().revision, 1U);
  EXPECT_EQ(store.last_seq(), then->front().seq);
  EXPECT_EQ(ids(store.after(0, 1)), ids_of({2})) << "as it is now: 1 comes after 2";
}

TEST_F(StoreTest, AnExporterHasAPlaceUntilItIsForgotten) {
  Store store = open();
  EXPECT_EQ(*store.place_of("otlp"), std::optional<std::int64_t>());
  ASSERT_TRUE(store.set_place("otlp", 7));
  ASSERT_TRUE(store.set_place("otlp", 9));
  EXPECT_EQ(*store.place_of("otlp"), std::optional<std::int64_t>(9));
  EXPECT_THAT(*store.exporters(), ElementsAre("otlp"));
  ASSERT_TRUE(store.forget_place("otlp"));
  EXPECT_EQ(*store.place_of("otlp"), std::optional<std::int64_t>());
}

TEST_F(StoreTest, ANumberIsNeverGivenTwice) {
  std::int64_t last = 0;
  {
    Store store = open({.max_age = std::chrono::hours(1)});
    put(store, make_incident(1));
    last = *store.last_seq();
    const auto retained = store.retain(kNoon + 7200 * kSecond);
    ASSERT_TRUE(retained) << retained.error().message();
    EXPECT_EQ(retained->removed, 1U);
  }
  Store store = open();
  put(store, make_incident(2));
  EXPECT_GT(*store.last_seq(), last);
}

TEST_F(StoreTest, WhatIsTooOldGoesButNotWithoutAClock) {
  Store store = open({.max_age = std::chrono::seconds(100)});
  for (const int n : {1, 50, 200}) put(store, make_incident(n));
  EXPECT_EQ(store.retain(std::nullopt)->removed, 0U);
  EXPECT_EQ(store.retain(kNoon + 200 * kSecond)->removed, 2U);
  EXPECT_EQ(ids(store.query({})), ids_of({200}));
  EXPECT_THAT(ids(store.query({.comm = {"app"}})), ElementsAre(make_incident(200).id));
}

TEST_F(StoreTest, WhatAnExporterHasNotHadStaysHoweverOld) {
  Store store = open({.max_age = std::chrono::seconds(1)});
  for (const int n : {1, 2, 3}) put(store, make_incident(n));
  ASSERT_TRUE(store.set_place("webhook", store.after(0, 1)->front().seq));
  EXPECT_EQ(store.retain(kNoon + 1000 * kSecond)->removed, 1U);
  EXPECT_EQ(ids(store.query({})), ids_of({3, 2}));
  EXPECT_EQ(ids(store.of_boot_onwards(make_incident(1).host.boot_id, 2'000'000'000, 10)),
            ids_of({2, 3}));
  ASSERT_TRUE(store.forget_place("webhook"));
  EXPECT_EQ(store.retain(kNoon + 1000 * kSecond)->removed, 2U);
}

TEST_F(StoreTest, TheOldestGoWhenThereIsTooMuch) {
  constexpr std::uint64_t kMost = 512U << 10U;
  Store store = open({.max_bytes = kMost, .unsent_bytes = 0});
  for (int n = 1; n <= 400; ++n) {
    Incident incident = make_incident(n);
    incident.victims[0].cmdline = {noise(4000)};
    put(store, incident);
  }
  EXPECT_GT(*store.bytes(), kMost);
  const auto retained = store.retain(std::nullopt);
  ASSERT_TRUE(retained) << retained.error().message();
  EXPECT_GT(retained->removed, 100U);
  EXPECT_LE(*store.bytes(), kMost);
  EXPECT_GT(*store.bytes(), kMost / 2) << "no more than it must";
  const auto newest = store.query({.limit = 1});
  EXPECT_EQ(ids(newest), ids_of({400}));
  EXPECT_EQ(*store.count() + retained->removed, 400U);
}

TEST_F(StoreTest, WhatWasNotSentGoesOnlyBeyondTheBound) {
  constexpr std::uint64_t kMost = 256U << 10U;
  Store store = open({.max_bytes = kMost, .unsent_bytes = kMost});
  ASSERT_TRUE(store.set_place("otlp", 0));
  const auto fill = [&](int from, int to) {
    for (int n = from; n <= to; ++n) {
      Incident incident = make_incident(n);
      incident.victims[0].cmdline = {noise(4000)};
      put(store, incident);
    }
  };
  fill(1, 70);
  EXPECT_EQ(store.retain(std::nullopt)->removed, 0U) << "nothing was sent";
  fill(71, 300);
  const auto retained = store.retain(std::nullopt);
  EXPECT_GT(retained->removed_unsent, 0U);
  EXPECT_EQ(retained->removed_unsent, retained->removed);
  EXPECT_LE(*store.bytes(), 2 * kMost);
  EXPECT_GT(*store.bytes(), kMost);
  EXPECT_EQ(ids(store.query({.limit = 1})), ids_of({300}));
}

TEST_F(StoreTest, KillsAreCountedAsTheKernelCountsThem) {
  Store store = open();
  Incident incident = make_incident(1);
  const std::string boot = incident.host.boot_id;
  incident.victims.resize(4, incident.victims[0]);
  incident.victims[1].role = Role::kGroup;
  incident.victims[2].role = Role::kSharedMm;
  incident.victims[3].role = Role::kAlreadyExiting;
  put(store, incident);
  EXPECT_EQ(store.kills(boot), 2U);
  incident.revision = 1;
  incident.victims[3].role = Role::kGroup;
  put(store, incident);
  EXPECT_EQ(store.kills(boot), 3U);
  Incident by_user_space = make_incident(2);
  by_user_space.killer = "earlyoom";
  put(store, by_user_space);
  EXPECT_EQ(store.kills(boot), 3U);
  EXPECT_EQ(store.kills("another boot"), 0U);
}

TEST_F(StoreTest, RemembersHowFarTheLogHasBeenRead) {
  Store store = open();
  EXPECT_EQ(store.log_place("boot")->next, 0U);
  ASSERT_TRUE(store.set_log_place("boot", {.next = 17, .minus_monotonic_ns = -5, .settled_ns = 9}));
  EXPECT_EQ(store.log_place("boot")->next, 17U);
  EXPECT_EQ(store.log_place("boot")->minus_monotonic_ns, std::optional<std::int64_t>(-5));
  EXPECT_EQ(store.log_place("boot")->settled_ns, 9U);
  EXPECT_EQ(store.log_place("other")->next, 0U);
}

TEST_F(StoreTest, GivesTheKillsOfABootFromAMoment) {
  Store store = open();
  for (const int n : {1, 2, 3}) put(store, make_incident(n));
  Incident other = make_incident(4);
  other.host.boot_id = "another";
  put(store, other);
  EXPECT_EQ(ids(store.of_boot(make_incident(1).host.boot_id, 2'000'000'000, 10)), ids_of({3, 2}));
}

TEST_F(StoreTest, ManyInOneTransactionAreAllOrNothing) {
  Store store = open();
  const std::vector<Incident> some{make_incident(1), make_incident(2), make_incident(1)};
  EXPECT_THAT(store.put_all(some), ::testing::Optional(std::size_t{2}));
  EXPECT_EQ(store.count(), 2U);
}

TEST_F(StoreTest, OthersThanItsOwnerAndGroupCannotReadIt) {
  Store store = open();
  put(store, make_incident(1));
  for (const char* name : {"", "-wal", "-shm"}) {
    struct stat file {};
    ASSERT_EQ(::stat((path() + name).c_str(), &file), 0) << name;
    EXPECT_EQ(file.st_mode & 07777, 0640U) << name;
  }
}

TEST(PackedJson, ComesBackAndDamageIsTold) {
  const std::string json = to_json(make_incident(1));
  const JsonPacker packer;
  std::string packed = packer.pack(json);
  EXPECT_LT(packed.size(), json.size());
  EXPECT_EQ(unpack_json(packed), json);
  EXPECT_EQ(unpack_json(packer.pack("")), "");
  for (const std::string& bad : {packed.substr(0, packed.size() / 2), std::string(), json})
    EXPECT_THAT(unpack_json(bad).error().message(), HasSubstr("cannot be read"));
}

TEST_F(StoreTest, FindsAnIncidentByTheBeginningOfItsId) {
  Store store = open();
  put(store, make_incident(1));
  put(store, make_incident(2));
  EXPECT_EQ(ids(store.find(make_incident(2).id)), ids_of({2}));
  EXPECT_EQ(ids(store.find("01jdb4y8q2")), ids_of({1, 2})) << "lower case too";
  EXPECT_THAT(ids(store.find("01JDB4Y8Q3")), IsEmpty());
  EXPECT_THAT(ids(store.find("%")), IsEmpty());
}

}  // namespace
}  // namespace oomwitness
