#include <fstream>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "child.hpp"
#include "example.hpp"
#include "polyhead/h5/h5.hpp"

namespace polyhead::store {
namespace {

namespace fs = std::filesystem;
using polyhead::testing::error_of;
using polyhead::testing::message_without_rights;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

Offsets create_example(const fs::path& path, Existing existing = Existing::refuse) {
  return create(path, example::layout(), example::samples(), example::header(), existing);
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

void touch(const fs::path& path) {
  std::ofstream(path) << "precious";
}

std::string content(const fs::path& path) {
  std::string text;
  std::getline(std::ifstream(path), text);
  return text;
}

TEST(Create, MakesParentFoldersAndLeavesNothingElse) {
  const TemporaryFolder folder;
  create_example(folder / "a/b/result.h5");
  EXPECT_THAT(names_in(folder / "a/b"), ElementsAre("result.h5"));
}

TEST(Create, FollowsTheUsersUmaskAndTakesItsSpace) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  create_example(folder / "result.h5");
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat((folder / "result.h5").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
  EXPECT_GE(status.st_blocks * 512, status.st_size);
}

TEST(Create, ShowsNothingUnderItsNameBeforeItIsComplete) {
  const TemporaryFolder folder;
  std::set<std::string> seen;
  SampleSource samples = example::samples();
  samples.id = [&](std::int64_t index) {
    seen.merge(names_in(folder.path()));
    return example::id(index);
  };
  for (const auto* name : {"one.h5", "two.h5"}) {
    create(folder / name, example::layout(), samples, example::header(), Existing::refuse);
  }
  seen.erase("one.h5");  // seen while the second was made
  EXPECT_THAT(seen, ElementsAre(MatchesRegex("\\.polyhead-[0-9a-f]+\\.tmp"),
                                MatchesRegex("\\.polyhead-[0-9a-f]+\\.tmp")));
  EXPECT_THAT(names_in(folder.path()), ElementsAre("one.h5", "two.h5"));
}

TEST(Create, RefusesAnExistingOutput) {
  const TemporaryFolder folder;
  create_example(folder / "result.h5");
  const auto before = Reader(folder / "result.h5").results_digest();
  const auto [code, message] = error_of([&] { return create_example(folder / "result.h5"); });
  EXPECT_EQ(code, ExitCode::cant_create);
  EXPECT_THAT(
      message,
      HasSubstr("result.h5: exists already. Give --resume to go on with it, --overwrite to replace it, "
                "or another output.path"));
  EXPECT_EQ(Reader(folder / "result.h5").results_digest(), before);
  const fs::path empty = folder.write("empty.h5", "");
  EXPECT_EQ(error_of([&] { return create_example(empty); }),
            std::pair(ExitCode::cant_create,
                      empty.string() + ": exists already, and is empty. Give --overwrite to replace it, or "
                                       "another output.path"));
}

TEST(Create, OverwritesResultsAndEmptyFilesWhenToldSo) {
  const TemporaryFolder folder;
  create_example(folder / "result.h5");
  const auto inode = [&] {
    struct stat status {};
    ::stat((folder / "result.h5").c_str(), &status);
    return status.st_ino;
  };
  const auto before = inode();
  create_example(folder / "result.h5", Existing::overwrite);
  EXPECT_NE(inode(), before);
  create_example(folder.write("empty.h5", ""), Existing::overwrite);
  EXPECT_EQ(Reader(folder / "empty.h5").layout(), example::layout());
  EXPECT_THAT(names_in(folder.path()), ElementsAre("empty.h5", "result.h5"));
}

TEST(Create, ReplacesNothingElse) {
  const TemporaryFolder folder;
  touch(folder / "thesis.tex");
  fs::create_directory(folder / "folder");
  fs::create_symlink(folder / "thesis.tex", folder / "link.h5");
  { h5::File::create(folder / "data.h5").close(); }
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const std::vector<std::pair<std::string, std::string>> strangers{
      {"thesis.tex",
       "thesis.tex: is a file of another program and no result of polyhead, so no run replaces "
       "it, --overwrite or not. Choose another output.path, or remove it yourself if nobody "
       "needs it"},
      {"folder", "folder: is a folder and no"},
      {"data.h5", "data.h5: is an HDF5 file of another program and no"},
      {"pipe", "pipe: is something that is not a file and no"},
      {"link.h5", "link.h5 (a link to " + (folder / "thesis.tex").string() + "): is a file of another"}};
  for (const auto& [name, text] : strangers) {
    for (const Existing existing : {Existing::overwrite, Existing::refuse}) {
      const std::filesystem::path path = folder / name;
      const auto [code, message] = error_of([&] { return create_example(path, existing); });
      EXPECT_EQ(code, ExitCode::cant_create) << name;
      EXPECT_THAT(message, HasSubstr(text)) << name;
    }
  }
  EXPECT_EQ(content(folder / "thesis.tex"), "precious");
}

TEST(Create, LeavesAFileAloneThatTakesTheResultsPlaceMeanwhile) {
  const TemporaryFolder folder;
  create_example(folder / "result.h5");
  SampleSource samples = example::samples();
  samples.labels = [&](std::int64_t /*first*/, std::span<std::int32_t> /*labels*/) {
    touch(folder / "result.h5");
  };
  EXPECT_EQ(error_of([&] {
              return create(folder / "result.h5", example::layout(), samples, example::header(),
                            Existing::overwrite);
            }).first,
            ExitCode::cant_create);
  EXPECT_EQ(content(folder / "result.h5"), "precious");
}

TEST(Create, WritesWhereLinksLead) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "disk");
  fs::create_symlink("disk/real.h5", folder / "inner.h5");  // to nothing as yet
  fs::create_symlink(folder / "inner.h5", folder / "link.h5");
  create_example(folder / "link.h5");
  EXPECT_THAT(names_in(folder / "disk"), ElementsAre("real.h5"));
  EXPECT_THAT(
      error_of([&] { return create_example(folder / "link.h5"); }).second,
      AllOf(HasSubstr("link.h5 (a link to "), HasSubstr("disk/real.h5): exists already. Give --resume")));
  create_example(folder / "link.h5", Existing::overwrite);
  EXPECT_TRUE(fs::is_symlink(folder / "link.h5") && fs::is_symlink(folder / "inner.h5"));
  EXPECT_EQ(Reader(folder / "link.h5").layout(), example::layout());
  EXPECT_THAT(names_in(folder / "disk"), ElementsAre("real.h5"));
  EXPECT_EQ(fs::canonical(folder / "link.h5"), fs::canonical(folder / "disk") / "real.h5");
  check_output(folder / "link.h5", Existing::resume);
  open_for_writing(folder / "link.h5")->sync();
}

TEST(Create, RefusesLinksThatLeadInACircle) {
  const TemporaryFolder folder;
  fs::create_symlink("b.h5", folder / "a.h5");
  fs::create_symlink("a.h5", folder / "b.h5");
  for (const Existing existing : {Existing::refuse, Existing::overwrite, Existing::resume}) {
    EXPECT_EQ(error_of([&] { return create_example(folder / "a.h5", existing); }),
              std::pair(ExitCode::cant_create, (folder / "a.h5").string() +
                                                   ": is a symbolic link that cannot be followed: Too many "
                                                   "levels of symbolic links"));
  }
}

TEST(Create, LosesAgainstAFileThatAppearsMeanwhile) {
  const TemporaryFolder folder;
  SampleSource samples = example::samples();
  samples.labels = [&](std::int64_t /*first*/, std::span<std::int32_t> /*labels*/) {
    touch(folder / "result.h5");
  };
  const auto [code, message] = error_of([&] {
    return create(folder / "result.h5", example::layout(), samples, example::header(), Existing::refuse);
  });
  EXPECT_EQ(code, ExitCode::cant_create);
  EXPECT_THAT(message, HasSubstr("was created by another program in the meantime"));
  EXPECT_EQ(content(folder / "result.h5"), "precious");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("result.h5"));
}

TEST(Create, LeavesNothingBehindWhenASampleCannotBeRead) {
  const TemporaryFolder folder;
  SampleSource samples = example::samples();
  samples.id = [](std::int64_t index) -> std::string {
    if (index == 50) throw Error(ExitCode::bad_data, "sample 50 is gone");
    return "x";
  };
  EXPECT_EQ(error_of([&] {
              return create(folder / "result.h5", example::layout(), samples, example::header(),
                            Existing::refuse);
            }),
            std::pair(ExitCode::bad_data, std::string("sample 50 is gone")));
  EXPECT_THAT(names_in(folder.path()), IsEmpty());
}

TEST(Create, NoticesIdsThatChange) {
  const TemporaryFolder folder;
  SampleSource samples = example::samples();
  for (const int growth : {1, -1}) {
    int calls = 0;
    samples.id = [&](std::int64_t /*index*/) {
      return std::string(static_cast<std::size_t>(++calls > 101 ? 2 + growth : 2), 'x');
    };
    EXPECT_THAT(error_of([&] {
                  return create(folder / "result.h5", example::layout(), samples, example::header(),
                                Existing::refuse);
                }).second,
                HasSubstr("ids changed"));
  }
  EXPECT_THAT(names_in(folder.path()), IsEmpty());
}

TEST(Create, SaysThatTheDiskIsTooSmall) {
  const TemporaryFolder folder;
  Layout layout = example::layout();
  layout.samples = 3;
  layout.class_names.clear();
  layout.classes = std::int64_t{1} << 40U;  // 12 TiB of scores
  layout.head_scores = false;
  const auto [code, message] = error_of([&] {
    return create(folder / "result.h5", layout, example::samples(), example::header(), Existing::refuse);
  });
  EXPECT_EQ(code, ExitCode::cant_create);
  EXPECT_THAT(message, AllOf(HasSubstr("result.h5: cannot be created: it needs 12.0 TiB, and "),
                             HasSubstr(" are free on this disk. Make room there")));
  EXPECT_THAT(names_in(folder.path()), IsEmpty());
}

TEST(Create, RefusesALayoutThatContradictsItself) {
  const TemporaryFolder folder;
  Layout layout = example::layout();
  layout.head_weights.pop_back();
  EXPECT_EQ(error_of([&] {
              return create(folder / "result.h5", layout, example::samples(), example::header(),
                            Existing::refuse);
            }).first,
            ExitCode::internal);
}

TEST(Create, SurvivesNoSamplesAndMany) {
  Layout layout = example::layout();
  layout.samples = 0;
  const example::Fresh none(layout);
  EXPECT_EQ(Reader(none.path).progress().pending, 0);
  EXPECT_EQ(Reader(none.path).results_digest().hex().size(), 32U);
  layout.samples = 200'000;  // more than one chunk of labels and ids
  layout.batch = 64;
  layout.head_scores = false;
  const example::Fresh many(layout);
  const Reader reader(many.path);
  const std::vector<std::int32_t> labels = reader.columns(0, layout.samples).labels;
  for (std::int64_t i = 0; i < layout.samples; ++i)
    ASSERT_EQ(labels[static_cast<std::size_t>(i)], example::label(i));
  for (const std::int64_t i : {65534, 65535, 65536, 131071, 199999})
    EXPECT_EQ(reader.sample_id(i), example::id(i));
  const Columns last = reader.columns(199'990, 10);
  EXPECT_THAT(last.head_prediction, ::testing::Each(-1));
}

TEST(CheckOutput, AcceptsWhatCanBeCreatedAndTouchesNothing) {
  const TemporaryFolder folder;
  check_output(folder / "result.h5", Existing::refuse);
  check_output(folder / "a/b/c/result.h5", Existing::refuse);
  EXPECT_THAT(names_in(folder.path()), IsEmpty());
  create_example(folder / "result.h5");
  check_output(folder / "result.h5", Existing::overwrite);
  EXPECT_EQ(error_of([&] { check_output(folder / "result.h5", Existing::refuse); }).first,
            ExitCode::cant_create);
}

TEST(CheckOutput, RefusesWhatNamesNoFile) {
  const TemporaryFolder folder;
  for (const auto* path : {"", "runs/", "."}) {
    EXPECT_THAT(error_of([&] { check_output(path, Existing::refuse); }).second,
                HasSubstr("it names no file"));
  }
  touch(folder / "file");
  EXPECT_THAT(error_of([&] { check_output(folder / "file/sub/result.h5", Existing::refuse); }).second,
              HasSubstr("file is not a folder"));
}

class ForbiddenFolder : public ::testing::Test {
 protected:
  ForbiddenFolder() {
    fs::permissions(folder_.path(), fs::perms(0755));
    fs::create_directory(folder_ / "shut");
    fs::permissions(folder_ / "shut", fs::perms(0555));
  }
  TemporaryFolder folder_;
};

TEST_F(ForbiddenFolder, IsAnErrorBeforeAnythingIsDone) {
  const fs::path path = folder_ / "shut/result.h5";
  const std::string expected =
      fmt::format("73: {}: cannot be created: the folder {} is not writable: Permission denied",
                  path.string(), (folder_ / "shut").string());
  EXPECT_EQ(message_without_rights([&] { check_output(path, Existing::refuse); }), expected);
  EXPECT_EQ(message_without_rights([&] { create_example(path); }), expected);
  EXPECT_THAT(message_without_rights([&] { check_output(folder_ / "shut/new/result.h5", Existing::refuse); }),
              HasSubstr("is not writable"));
  EXPECT_THAT(message_without_rights([&] { const OutputLock lock(path); }),
              AllOf(HasSubstr("73: "), HasSubstr("lock file cannot be created: Permission denied")));
}

TEST_F(ForbiddenFolder, ThatCannotBeSearchedIsNamed) {
  fs::permissions(folder_ / "shut", fs::perms(0000));
  EXPECT_THAT(message_without_rights([&] { check_output(folder_ / "shut/result.h5", Existing::refuse); }),
              AllOf(HasSubstr("73: "), HasSubstr("Permission denied")));
}

}  // namespace
}  // namespace polyhead::store
