// SPDX-License-Identifier: BSD-2-Clause
#include "sink/journal_exporter.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "export_items.h"
#include "golden.h"
#include "support/owned_fd.h"

namespace oomwitness {
namespace {

using testing::Contains;
using testing::HasSubstr;

TEST(JournalFields, LookAsExpected) {
  std::string all;
  for (const ExportItem& item : sample_batch()) {
    for (const std::string& field : journal_fields(item))
      if (!field.starts_with("OOMWITNESS_JSON=")) all += field + "\n";
    all += "\n";
  }
  expect_golden("export/journal.txt", all);
}

// systemd.journal-fields(7): upper case, digits, underscores; not more than 64.
TEST(JournalFields, NamesAreOnesThatTheJournalTakes) {
  for (const ExportItem& item : sample_batch())
    for (const std::string& field : journal_fields(item)) {
      const std::size_t length = field.find('=');
      ASSERT_LE(length, 64U) << field;
      for (const char c : field.substr(0, length))
        EXPECT_TRUE((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_') << field;
    }
}

TEST(JournalFields, AHostileNameMakesNoFieldOfItsOwn) {
  Incident incident = sample("memcg");
  incident.victims.at(0).comm = "x\nPRIORITY=0\x1b[31m";
  const std::vector<std::string> fields = journal_fields(item_of(incident, 1));
  EXPECT_THAT(fields, Contains("OOMWITNESS_VICTIM_COMM=x\\nPRIORITY=0\\e[31m"));
  for (const std::string& field : fields)
    EXPECT_EQ(field.find_first_of("\n\x1b"), std::string::npos);
}

TEST(JournalFields, TheCatalogKnowsTheMessage) {
  std::ifstream in(OW_CATALOG);
  const std::string catalog{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(catalog, HasSubstr("\n-- " + std::string(kIncidentMessageId) + "\n"));
}

class JournalExporterTest : public testing::Test {
 protected:
  JournalExporterTest() {
    std::string name = (std::filesystem::temp_directory_path() / "oomwitness.XXXXXX").string();
    folder = ::mkdtemp(name.data());
    path = folder / "socket";
  }
  ~JournalExporterTest() override { std::filesystem::remove_all(folder); }
  JournalExporterTest(const JournalExporterTest&) = delete;
  JournalExporterTest& operator=(const JournalExporterTest&) = delete;

  void run_journald() {
    socket = OwnedFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.string().copy(std::begin(address.sun_path), sizeof(address.sun_path) - 1);
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              0);
  }

  std::filesystem::path folder;
  std::filesystem::path path;
  OwnedFd socket;
  std::vector<ExportItem> batch = sample_batch();
};

TEST_F(JournalExporterTest, SendsTheFieldsOfEach) {
  run_journald();
  std::vector<std::string> messages;
  JournalExporter exporter(
      "journal",
      [&](const iovec* fields, int count) {
        EXPECT_GT(count, 10);
        messages.emplace_back(static_cast<const char*>(fields[0].iov_base), fields[0].iov_len);
        return messages.size() == 3 ? -ENOBUFS : 0;
      },
      path);
  const ExportOutcome outcome = exporter.send(batch, {});
  EXPECT_EQ(messages.at(0), journal_fields(batch[0]).at(0));
  EXPECT_EQ(outcome.sent, 2U);
  EXPECT_EQ(outcome.taken, batch[1].seq);
  EXPECT_THAT(outcome.reason, HasSubstr("No buffer space available"));
}

TEST_F(JournalExporterTest, WithoutJournaldNothingCountsAsSent) {
  JournalExporter exporter("journal", journal_sender(), path);
  const ExportOutcome outcome = exporter.send(batch, {});
  EXPECT_EQ(outcome.sent, 0U);
  EXPECT_THAT(outcome.reason, HasSubstr("journald is not running"));
}

}  // namespace
}  // namespace oomwitness
