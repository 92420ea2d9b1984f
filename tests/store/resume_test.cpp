#include "polyhead/store/resume.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "example.hpp"

namespace polyhead::store {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::run_python;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// A file that a run has left with some of its 13 micro-batches.
struct Left : example::Fresh {
  Left() {
    Writer first = writer();
    first.append_provenance("the first run");
    for (const std::int64_t batch : {0, 2, 3, 12}) first.write(example::rows(layout, batch));
    first.finish();
    first.write(example::rows(layout, 7));  // never committed
  }
  [[nodiscard]] Writer go_on() const {
    const Reader reader(path);
    return {open_to_resume(path), reader.layout(), reader.offsets(), committed_of(reader)};
  }
  void damage(std::uint64_t offset, const std::string& bytes) const {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes;
  }
  [[nodiscard]] std::pair<ExitCode, std::string> error() const {
    return error_of([&] { return go_on(); });
  }
};

bool same(const Offsets& a, const Offsets& b) {
  const auto all = [](const Offsets& at) {
    return std::vector<std::uint64_t>{at.of("/fused/scores"),
                                      at.of("/fused/prediction"),
                                      at.of("/heads/prediction"),
                                      at.of("/heads/scores"),
                                      at.of("/samples/status"),
                                      at.of("/samples/reason"),
                                      at.ledger,
                                      at.provenance.offset,
                                      at.provenance.capacity,
                                      at.summary.offset,
                                      at.summary.capacity,
                                      at.certificate.offset,
                                      at.certificate.capacity};
  };
  return all(a) == all(b);
}

TEST(Resume, FindsTheOffsetsThatTheFileWasCreatedWith) {
  const Left file;
  EXPECT_TRUE(same(Reader(file.path).offsets(), file.offsets));
  Layout narrow = example::layout();
  narrow.head_scores = false;
  const example::Fresh other(narrow);
  EXPECT_TRUE(same(Reader(other.path).offsets(), other.offsets));
}

TEST(Resume, TheRestIsWrittenAndH5pyReadsAll) {
  const Left file;
  Writer writer = file.go_on();
  EXPECT_EQ(writer.committed(), 4);
  writer.append_provenance("the second run");
  for (const std::int64_t batch : {1, 4, 5, 6, 7, 8, 9, 10, 11})
    writer.write(example::rows(file.layout, batch));
  writer.finish();
  EXPECT_EQ(writer.committed(), 13);
  EXPECT_EQ(
      run_python("store/oracle.py", fmt::format("'{}' 0 1 2 3 4 5 6 7 8 9 10 11 12", file.path.string())), 0);
  EXPECT_EQ(Reader(file.path).text("provenance"), "the first run\nthe second run\n");
}

TEST(Resume, WhatIsCommittedIsNeverWrittenAgain) {
  const Left file;
  Writer writer = file.go_on();
  const auto [code, message] = error_of([&] {
    writer.write(example::rows(file.layout, 3));
    return 0;
  });
  EXPECT_EQ(code, ExitCode::internal);
  EXPECT_THAT(message, HasSubstr("micro-batch 3 was written before"));
  writer.write(example::rows(file.layout, 7));  // half-written rows are
}

TEST(Resume, ALineThatACrashCutGoesAndSoDoesWhatLiesBehindIt) {
  const Left file;
  file.damage(file.offsets.provenance.offset + 14, "half of a l" + std::string(5, '\0') + "ine, torn\n");
  Writer writer = file.go_on();
  writer.append_provenance("next");
  writer.append_provenance("more");
  writer.finish();
  EXPECT_EQ(Reader(file.path).text("provenance"), "the first run\nnext\nmore\n");
  EXPECT_EQ(committed_of(Reader(file.path)).provenance_dirty, 24U);
}

TEST(Resume, ATemporaryFileOfACrashDoesNotDisturb) {
  const Left file;
  std::ofstream(file.folder / ".polyhead-0123456789abcdef.tmp") << "half a file";
  EXPECT_EQ(file.go_on().committed(), 4);
}

TEST(Resume, ADamagedLedgerIsRefused) {
  const Left file;
  file.damage(file.offsets.ledger + 5, "\7");
  EXPECT_EQ(file.error().first, ExitCode::bad_data);
  EXPECT_THAT(file.error().second, AllOf(HasSubstr("result.h5: is damaged: /ledger/batches holds 7 for "
                                                   "micro-batch 5, expected 0 or 1"),
                                         HasSubstr("--overwrite")));
}

TEST(Resume, AFinishedMicroBatchWithoutResultsIsRefused) {
  const Left file;
  file.damage(file.offsets.ledger + 5, "\1");
  EXPECT_EQ(file.error().first, ExitCode::bad_data);
  EXPECT_THAT(file.error().second, HasSubstr("37 samples belong to finished micro-batches, but "
                                             "/samples/status says so of 29"));
}

TEST(Resume, ACutFileIsRefusedWhereverItEnds) {
  const Left file;
  const auto size = std::filesystem::file_size(file.path);
  for (const std::uint64_t length :
       {std::uint64_t{0}, std::uint64_t{96}, std::uint64_t{4096}, size / 2, size - 1}) {
    std::filesystem::resize_file(file.path, length);
    EXPECT_EQ(file.error().first, ExitCode::bad_data) << length;
    EXPECT_THAT(file.error().second, HasSubstr("result.h5")) << length;
    std::filesystem::resize_file(file.path, size);
  }
}

/// Every byte of the first of HDF5's own structures, altered: refused, or without any effect on where things
/// are.
TEST(Resume, DamagedStructuresNeverMisleadTheWriter) {
  const Left file;
  std::string bytes(2048, '\0');
  std::ifstream(file.path, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  int refused = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    file.damage(i, std::string(1, static_cast<char>(bytes[i] ^ 0x55)));
    try {
      const Reader reader(file.path);
      EXPECT_TRUE(same(reader.offsets(), file.offsets)) << "byte " << i;
      EXPECT_EQ(std::ranges::count(committed_of(reader).ledger, 1), 4) << "byte " << i;
    } catch (const Error& error) {
      ++refused;
      EXPECT_TRUE(error.code() == ExitCode::bad_data || error.code() == ExitCode::io_error) << error.what();
    }
    file.damage(i, bytes.substr(i, 1));
  }
  EXPECT_GT(refused, 30);
}

TEST(Resume, FindsMicroBatchesWithBadSamplesAndOpensThemAgain) {
  const Left file;
  EXPECT_EQ(batches_with_bad_samples(Reader(file.path)), (std::vector<std::int64_t>{2}));  // sample 16
  {
    Writer writer = file.go_on();
    writer.write_certificate("c");
    writer.reopen(std::vector<std::int64_t>{2});
    EXPECT_EQ(writer.committed(), 3);
    EXPECT_EQ(error_of([&] {
                writer.reopen(std::vector<std::int64_t>{2});
                return 0;
              }).first,
              ExitCode::internal);
  }
  const Reader reader(file.path);
  EXPECT_EQ(reader.text("certificate"), "");
  EXPECT_EQ(committed_of(reader).ledger[2], 0);
  EXPECT_TRUE(batches_with_bad_samples(reader).empty());
  EXPECT_EQ(reader.progress({0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}).quarantined, 1);
  Writer writer = file.go_on();
  writer.write(example::rows(file.layout, 2));
  writer.finish();
  EXPECT_EQ(writer.committed(), 4);
}

TEST(Resume, NamesWhatCannotBeResumed) {
  const Left file;
  const auto check = [&](const char* name) {
    return error_of([&] {
      check_output(file.folder / name, Existing::resume);
      return 0;
    });
  };
  check_output(file.path, Existing::resume);
  EXPECT_EQ(check("other.h5").first, ExitCode::no_input);
  EXPECT_THAT(check("other.h5").second, AllOf(HasSubstr("other.h5: there is no result to go on with"),
                                              HasSubstr("without --resume"), HasSubstr("--resume=auto")));
  std::filesystem::create_symlink("other.h5", file.folder / "link.h5");
  EXPECT_THAT(check("link.h5").second, HasSubstr("link.h5: there is no result to go on with"));
  std::filesystem::create_symlink(file.path, file.folder / "good.h5");
  check_output(file.folder / "good.h5", Existing::resume);
  std::filesystem::create_directory(file.folder / "folder.h5");
  EXPECT_THAT(check("folder.h5").second, HasSubstr("folder.h5: cannot be resumed: it is not a file"));
}

TEST(Resume, AutoGoesOnOrBeginsAnew) {
  const Left file;
  EXPECT_TRUE(goes_on(file.path, Existing::resume_if_there));
  EXPECT_FALSE(goes_on(file.folder / "new.h5", Existing::resume_if_there));
  EXPECT_FALSE(goes_on(file.path, Existing::refuse));
  EXPECT_FALSE(goes_on(file.path, Existing::overwrite));
  check_output(file.folder / "new.h5", Existing::resume_if_there);
  create(file.folder / "new.h5", file.layout, example::samples(), example::header(),
         Existing::resume_if_there);
  EXPECT_EQ(committed_of(Reader(file.folder / "new.h5")).ledger, std::vector<std::uint8_t>(13, 0));
}

}  // namespace
}  // namespace polyhead::store
