#include "polyhead/store/reader.hpp"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

#include "example.hpp"

namespace polyhead::store {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::run_python;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Reader, ReadsBackAFreshFile) {
  const example::Fresh fresh;
  const Reader reader(fresh.path);
  EXPECT_EQ(reader.layout(), fresh.layout);
  EXPECT_EQ(reader.format_version(), kFormatVersion);
  EXPECT_THAT(reader.ledger(), Each(0));
  const Progress progress = reader.progress();
  EXPECT_EQ(progress.done + progress.quarantined + progress.batches_done, 0);
  EXPECT_EQ(progress.pending, 101);
  const Columns columns = reader.columns(0, 101);
  EXPECT_THAT(columns.fused_prediction, Each(-1));
  EXPECT_THAT(columns.head_prediction, Each(-1));
  EXPECT_THAT(columns.status, Each(0));
  EXPECT_EQ(reader.text("identity"), example::header().identity);
  EXPECT_EQ(reader.text("config"), example::header().config);
  EXPECT_EQ(reader.text("summary"), "");
}

TEST(Reader, ReadsColumnsAndIds) {
  const example::Fresh fresh;
  Writer writer = fresh.writer();
  writer.write(example::rows(fresh.layout, 2));
  writer.commit();
  const Reader reader(fresh.path);
  const Columns columns = reader.columns(15, 3);
  EXPECT_THAT(columns.labels, ElementsAre(0, 1, 2));
  EXPECT_THAT(columns.fused_prediction, ElementsAre(-1, -1, 2));  // not yet, quarantined, done
  EXPECT_THAT(columns.head_prediction, ElementsAre(-1, -1, -1, -1, -1, -1, 2, 0, 1));
  EXPECT_THAT(columns.status, ElementsAre(0, 2, 1));
  EXPECT_THAT(columns.reason, ElementsAre(0, 1, 0));
  for (const std::int64_t index : {0, 5, 16, 100}) EXPECT_EQ(reader.sample_id(index), example::id(index));
  EXPECT_EQ(reader.columns(101, 0).labels.size(), 0U);
}

TEST(Reader, ReadsTheRowsOfAMicroBatchAsTheyWereWritten) {
  const example::Fresh fresh;
  Writer writer = fresh.writer();
  for (const std::int64_t batch : {2, 12}) writer.write(example::rows(fresh.layout, batch));
  writer.commit();
  const Reader reader(fresh.path);
  for (const std::int64_t batch : {2, 12}) {  // the last one is short
    EXPECT_EQ(reader.rows(batch).to_wire(), example::rows(fresh.layout, batch).to_wire());
  }
  EXPECT_EQ(error_of([&] { return reader.rows(13); }).first, ExitCode::internal);
}

TEST(Reader, ReadsLabelsAndIdsAsTheyAre) {
  const example::Fresh fresh;
  const Reader reader(fresh.path);
  EXPECT_THAT(reader.labels(8, 3), ElementsAre(example::label(8), -1, example::label(10)));
  const std::string ids = example::id(0) + example::id(1) + example::id(2);
  const auto offsets = reader.id_offsets(0, 4);
  EXPECT_THAT(offsets,
              ElementsAre(0, example::id(0).size(), (example::id(0) + example::id(1)).size(), ids.size()));
  EXPECT_EQ(reader.id_bytes(0, ids.size()), ids);
  const std::uint64_t end = reader.id_offsets(101, 1).front();
  EXPECT_EQ(reader.id_bytes(end - example::id(100).size(), UINT64_MAX), example::id(100));
  EXPECT_EQ(reader.id_bytes(end, end + 1), "");
  EXPECT_EQ(error_of([&] { return reader.id_offsets(102, 1); }).first, ExitCode::internal);
  EXPECT_EQ(error_of([&] { return reader.labels(101, 1); }).first, ExitCode::internal);
}

TEST(Reader, CountsByTheLedger) {
  const example::Fresh fresh;
  Writer writer = fresh.writer();
  writer.write(example::rows(fresh.layout, 2));
  writer.write(example::rows(fresh.layout, 12));
  writer.commit();
  writer.write(example::rows(fresh.layout, 3));  // in the file, not in the ledger
  const Progress progress = Reader(fresh.path).progress();
  EXPECT_EQ(progress.batches_done, 2);
  EXPECT_EQ(progress.done, 12);
  EXPECT_EQ(progress.quarantined, 1);
  EXPECT_EQ(progress.pending, 88);
}

TEST(Reader, RefusesWhatLiesOutside) {
  const example::Fresh fresh;
  const Reader reader(fresh.path);
  const auto [code, message] = error_of([&] { return reader.columns(100, 2); });
  EXPECT_EQ(code, ExitCode::internal);
  EXPECT_THAT(message, HasSubstr("2 samples from 100 asked for, the file has 101"));
  EXPECT_THROW(static_cast<void>(reader.columns(-1, 1)), Error);
  EXPECT_THROW(static_cast<void>(reader.columns(0, INT64_MAX)), Error);
  EXPECT_EQ(error_of([&] { return reader.sample_id(101); }).first, ExitCode::internal);
  EXPECT_EQ(error_of([&] { return reader.sample_id(-1); }).first, ExitCode::internal);
  EXPECT_THAT(error_of([&] { return reader.text("poem"); }).second, HasSubstr("no text 'poem'"));
}

TEST(Reader, DigestTellsResultsApartAndNothingElse) {
  const example::Fresh one;
  const example::Fresh two;
  Writer first = one.writer();
  Writer second = two.writer();
  for (const std::int64_t batch : {0, 1, 2}) first.write(example::rows(one.layout, batch));
  first.finish();
  for (const std::int64_t batch : {2, 0, 1}) second.write(example::rows(two.layout, batch));
  second.append_provenance("another run");
  second.write_summary("{}");
  EXPECT_EQ(Reader(one.path).results_digest(), Reader(two.path).results_digest());
  second.write(example::rows(two.layout, 3));
  EXPECT_NE(Reader(one.path).results_digest(), Reader(two.path).results_digest());
}

TEST(Reader, DigestIsOverTheBytesThatTheDocumentationNames) {
  const example::Fresh fresh;
  Writer writer = fresh.writer();
  writer.write(example::rows(fresh.layout, 2));
  writer.finish();
  const auto dump = fresh.folder / "bytes";
  ASSERT_EQ(run_python("store/digest_bytes.py", fmt::format("'{}' '{}'", fresh.path.string(), dump.string())),
            0);
  std::ifstream file(dump, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  Hasher hasher;
  hasher.update(std::as_bytes(std::span(bytes)));
  EXPECT_EQ(hasher.digest(), Reader(fresh.path).results_digest());
}

/// Each dataset of the result is in the digest: one byte of it changed changes the digest.
TEST(Reader, DigestCoversEveryResultDataset) {
  const example::Fresh fresh;
  const Digest before = Reader(fresh.path).results_digest();
  std::vector<std::uint64_t> places;
  for (const auto* name : {"/fused/scores", "/fused/prediction", "/heads/prediction", "/heads/scores",
                           "/samples/status", "/samples/reason", "/samples/label", "/samples/id_bytes"}) {
    places.push_back(*h5::File::open(fresh.path).dataset(name).offset());
  }
  for (const std::uint64_t place : places) {
    std::fstream file(fresh.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(place));
    const char old = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(place)).put(static_cast<char>(old ^ 1)).flush();
    EXPECT_NE(Reader(fresh.path).results_digest(), before);
    file.seekp(static_cast<std::streamoff>(place)).put(old).flush();
    EXPECT_EQ(Reader(fresh.path).results_digest(), before);
  }
}

TEST(Reader, RefusesFilesOfOthers) {
  const polyhead::testing::TemporaryFolder folder;
  h5::File::create(folder / "other.h5").close();
  const auto [code, message] = error_of([&] { return Reader(folder / "other.h5"); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(message, HasSubstr("other.h5: is not a result file of polyhead"));
  EXPECT_EQ(error_of([&] { return Reader(folder / "gone.h5"); }).first, ExitCode::no_input);
}

struct Damage {
  const char* change;  ///< a statement of Python on the open file `f`
  const char* message;
};

class DamagedFile : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedFile, IsRefusedWithItsReason) {
  const example::Fresh fresh;
  ASSERT_EQ(run_python("store/damage.py", fmt::format("'{}' '{}'", fresh.path.string(), GetParam().change)),
            0);
  const auto [code, message] = error_of([&] { return Reader(fresh.path).sample_id(7); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Store, DamagedFile,
    ::testing::Values(
        Damage{R"(f.attrs["format_version"] = 2)", "has format version 2; this polyhead knows 1 to 1"},
        Damage{R"(del f.attrs["samples"])", "attribute 'samples' is -1, expected 0 to"},
        Damage{R"(f.attrs["samples"] = 2**59)", "/fused/scores: is float32 [101, 3], expected"},
        Damage{R"(f.attrs["batch"] = 0)", "attribute 'batch' is 0, expected 1 to"},
        Damage{R"(f.attrs["batch"] = 4)", "/ledger/batches: is uint8 [13], expected uint8 [26]"},
        Damage{R"(f.attrs["classes"] = "many")", "attribute 'classes': is not one integer"},
        Damage{R"(del f["samples/label"])", "has no dataset '/samples/label'"},
        Damage{R"(del f["classes/name"]; f["classes/name"] = [b"a"])", "names 1 classes, but has 3"},
        Damage{R"(del f["samples/status"]; f.create_dataset("samples/status", (101,), "u1", chunks=(8,)))",
               "/samples/status: is uint8 [101], expected uint8 [101], contiguous"},
        Damage{R"(del f["heads/weight"]; f["heads/weight"] = [1, 2, 3])",
               "/heads/weight: is int64 [3], expected float64"},
        Damage{R"(f["samples/id_offset"][8] = 2**63)", "the id of sample 7 lies outside it"},
        Damage{R"(f["samples/id_offset"][7] = 900)", "the id of sample 7 lies outside it"},
        Damage{R"(del f["samples/id_bytes"])", "has no dataset '/samples/id_bytes'"}));

/// Changes one byte of a file while it lives.
class FlippedByte {
 public:
  FlippedByte(const std::filesystem::path& path, std::uint64_t place)
      : file_(path, std::ios::binary | std::ios::in | std::ios::out),
        place_(static_cast<std::streamoff>(place)) {
    old_ = static_cast<char>(file_.seekg(place_).get());
    put(static_cast<char>(old_ ^ 0x10));
  }
  ~FlippedByte() { put(old_); }
  FlippedByte(const FlippedByte&) = delete;
  FlippedByte& operator=(const FlippedByte&) = delete;

 private:
  void put(char byte) { file_.seekp(place_).put(byte).flush(); }
  std::fstream file_;
  std::streamoff place_;
  char old_ = 0;
};

TEST(Reader, RefusesDamagedStructuresBeforeHdf5SeesThem) {
  const example::Fresh fresh;
  const std::uint64_t size = std::filesystem::file_size(fresh.path);
  std::vector<std::uint64_t> places;
  for (std::uint64_t place = 0; place < fresh.offsets.of("/fused/scores"); place += 61)
    places.push_back(place);
  for (std::uint64_t place = size - 32 - 16; place < size - 8; place += 3) places.push_back(place);
  ASSERT_GT(places.size(), 100U);
  for (const std::uint64_t place : places) {
    const FlippedByte flipped(fresh.path, place);
    const auto [code, message] = error_of([&] { return Reader(fresh.path); });
    EXPECT_EQ(code, ExitCode::bad_data) << place;
    EXPECT_THAT(message, HasSubstr("result.h5: is damaged: bytes have changed")) << place;
    EXPECT_THAT(message, HasSubstr("compute it anew with --overwrite"));
  }
  Reader{fresh.path};
}

TEST(Reader, DoesWithoutTheSealWhereHdf5HasCutItOff) {
  const example::Fresh fresh;
  ASSERT_EQ(
      run_python("store/damage.py", fmt::format("'{}' 'f.attrs[\"note\"] = \"mine\"'", fresh.path.string())),
      0);
  EXPECT_EQ(Reader(fresh.path).sample_id(7), example::id(7));
}

TEST(Reader, NoticesATruncatedFile) {
  const example::Fresh fresh;
  std::filesystem::resize_file(fresh.path, std::filesystem::file_size(fresh.path) - 4096);
  EXPECT_THAT(error_of([&] { return Reader(fresh.path); }).second, HasSubstr("truncated file"));
}

}  // namespace
}  // namespace polyhead::store
