#include "data/list/manifest.hpp"

#include <sstream>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "data/files/relative_path.hpp"
#include "data/list/repeated_paths.hpp"
#include "polyhead/base/text.hpp"
#include "samples.hpp"

namespace polyhead::data {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ids_of;
using testing::images_at;
using ::testing::IsEmpty;
using testing::labels_of;
using ::testing::Not;
using ::testing::Pair;
using testing::write;

using Samples = std::vector<std::pair<std::string, std::int32_t>>;

struct Listed {
  Samples samples;
  std::vector<std::string> names;
  std::string notes;
};

ListPlace place(const std::string& where = "list.csv", const config::Columns& columns = {}) {
  return {.where = where, .root = "/data", .columns = columns};
}

Listed list(const std::string& text, const ListPlace& place) {
  std::istringstream in(text);
  Manifest manifest(in, place);
  manifest.check();
  Listed listed{{}, manifest.class_names(), {}};
  manifest.list(
      [&](const std::string& path, std::int32_t label) { listed.samples.emplace_back(path, label); });
  listed.notes = join(manifest.notes(), "\n");
  return listed;
}

Listed list(const std::string& text, const std::string& where = "list.csv") {
  return list(text, place(where));
}

std::string refusal(const std::string& text, const ListPlace& place, ExitCode expected = ExitCode::bad_data) {
  const auto [code, message] = error_of([&] { return list(text, place); });
  EXPECT_EQ(code, expected) << text;
  return message;
}

std::string refusal(const std::string& text, const std::string& where = "list.csv") {
  return refusal(text, place(where));
}

TEST(Manifest, NumbersAreLabels) {
  const auto [samples, names, notes] = list("a.jpg,3\nb/c.png,0\nd.jpg,\ne.jpg\nf.jpg,-1\na.jpg, 3 \n");
  EXPECT_THAT(samples, ElementsAre(Pair("a.jpg", 3), Pair("b/c.png", 0), Pair("d.jpg", -1), Pair("e.jpg", -1),
                                   Pair("f.jpg", -1), Pair("a.jpg", 3)));
  EXPECT_THAT(names, IsEmpty());
}

TEST(Manifest, WholeNumbersWrittenAsFloatsAreNumbers) {
  const auto [samples, names, notes] =
      list("a.jpg,3.0\nb.jpg,10.0\nc.jpg,\nd.jpg,2\ne.jpg,3.\nf.jpg,1.000e+01\ng.jpg,nan\nh.jpg,-1.0\n");
  EXPECT_THAT(samples,
              ElementsAre(Pair("a.jpg", 3), Pair("b.jpg", 10), Pair("c.jpg", -1), Pair("d.jpg", 2),
                          Pair("e.jpg", 3), Pair("f.jpg", 10), Pair("g.jpg", -1), Pair("h.jpg", -1)));
  EXPECT_THAT(names, IsEmpty());
  EXPECT_THAT(notes,
              HasSubstr("list.csv: 2 of 8 lines have no label (the first is line 3): these samples count "
                        "as unknown, -1"));
  EXPECT_THAT(list("a.jpg\nb.jpg\n").notes, IsEmpty()) << "no labels at all";
  EXPECT_THAT(list("a.jpg,1\nb.jpg,-1\n").notes, IsEmpty()) << "said by the list itself";
}

TEST(Manifest, NumbersAndNamesInOneColumnAreRefused) {
  const std::string text = "a.jpg,10\nb.jpg,9\nc.jpg,cat\nd.jpg,\ne.jpg,9\n";
  EXPECT_THAT(refusal(text),
              AllOf(HasSubstr("list.csv:3: found the label '10' (line 1), a number, and 'cat' (line "
                              "3), a name; expected one kind"),
                    HasSubstr("list them in data.classes")));
  EXPECT_THAT(refusal("a.jpg,cat\nb.jpg,0.5\n"), HasSubstr("found the label '0.5' (line 2)"));
  ListPlace named = place();
  named.named = true;
  const auto [samples, names, notes] = list(text, named);
  EXPECT_THAT(names, ElementsAre("10", "9", "cat"));
  EXPECT_THAT(samples, ElementsAre(Pair("a.jpg", 0), Pair("b.jpg", 1), Pair("c.jpg", 2), Pair("d.jpg", -1),
                                   Pair("e.jpg", 1)));
  EXPECT_THAT(list("a.jpg,2\nb.jpg,1\n", named).names, IsEmpty()) << "numbers alone stay numbers";
}

TEST(Manifest, FractionsAreNoClasses) {
  EXPECT_THAT(refusal("a.jpg,1\nb.jpg,0.7\n"),
              AllOf(HasSubstr("list.csv:2: found the label 0.7; expected the number of a class"),
                    HasSubstr("data.columns")));
  EXPECT_THAT(refusal("a.jpg,1\nb.jpg,1e400\n"),
              HasSubstr("list.csv:2: found the label 1e400; expected a class"));
}

TEST(Manifest, NumbersInBracketsAreRefused) {
  for (const char* label : {"[3]", "(3,)", "tensor(3)", "'3'"}) {
    EXPECT_THAT(refusal(fmt::format("a.jpg,\"{0}\"\nb.jpg,\"{0}\"\n", label)),
                HasSubstr(fmt::format("list.csv:1: found the label {}; expected the number alone", label)));
  }
  EXPECT_THAT(list("a.jpg,[3]\nb.jpg,cat\n", place()).names, ElementsAre("[3]", "cat"));
  ListPlace named = place();
  named.named = true;
  EXPECT_THAT(list("a.jpg,[3]\n", named).names, ElementsAre("[3]"));
}

TEST(Manifest, WordsForMissingValuesBesideNamesAreNames) {
  const auto [samples, names, notes] = list("a.jpg,cat\nb.jpg,None\nc.jpg,nan\n");
  EXPECT_THAT(names, ElementsAre("None", "cat", "nan"));
  EXPECT_THAT(notes, HasSubstr("the label 'None' (line 2 and 1 more) is taken for the name of a class"));
}

TEST(Manifest, AnImageHasOneLabel) {
  EXPECT_THAT(refusal("a.jpg,1\nb.jpg,2\n./a.jpg,3\n"),
              HasSubstr("list.csv:3: found the path of line 1 again, there with label 1, here with 3"));
  EXPECT_THAT(refusal("a.jpg,\na.jpg,dog\na.jpg,cat\n"),
              HasSubstr("found the path of line 2 again, there with label 1, here with 0"));
  EXPECT_THAT(
      list("a.jpg,1\nb.jpg,2\na.jpg,1\na.jpg,\n").notes,
      HasSubstr("2 lines have a path that was there before (line 3 for one): these images count twice"));
}

TEST(Manifest, ManyRepeatedPathsAreNoticedInAnyList) {
  RepeatedPaths paths;
  for (std::int64_t line = 1; line <= 2'100'000; ++line) paths.add(std::to_string(line / 2), line, 0);
  EXPECT_THAT(paths.settle("list.csv"), ::testing::StartsWith("at least "));
  for (std::int64_t line = 1; line <= 100; ++line) paths.add(std::to_string(line), line, 0);
  EXPECT_EQ(paths.settle("list.csv"), "");
}

TEST(Manifest, TakesAllWaysToEndALine) {
  const Samples expected{{"a.jpg", 1}, {"b.jpg", 2}};
  EXPECT_EQ(list("a.jpg,1\nb.jpg,2\n").samples, expected);
  EXPECT_EQ(list("a.jpg,1\nb.jpg,2").samples, expected);
  EXPECT_EQ(list("a.jpg,1\r\nb.jpg,2\r\n").samples, expected);
  EXPECT_EQ(list("\xEF\xBB\xBFpath,label\r\na.jpg,1\r\n\r\nb.jpg,2").samples, expected);
  EXPECT_EQ(list("path,label\na.jpg,1\nb.jpg,2\n").samples, expected);
  EXPECT_EQ(list("path\na.jpg,1\nb.jpg,2\n").samples, expected);
}

TEST(Manifest, QuotesHoldWhatWouldEndAField) {
  EXPECT_THAT(
      list("\"a,b.jpg\",\"x,y\"\n\"say \"\"hi\"\".jpg\",z\n\"two\nlines.jpg\",z\na\"b.jpg,z\n").samples,
      ElementsAre(Pair("a,b.jpg", 0), Pair("say \"hi\".jpg", 1), Pair("two\nlines.jpg", 1),
                  Pair("a\"b.jpg", 1)));
}

TEST(Manifest, TabsSeparateInTsvAndText) {
  EXPECT_THAT(list("a,b.jpg\t1\n\"c\".jpg\t2\n", "list.tsv").samples,
              ElementsAre(Pair("a,b.jpg", 1), Pair("\"c\".jpg", 2)));
  EXPECT_THAT(list("a,b.jpg\t1\n", "list.TXT").samples, ElementsAre(Pair("a,b.jpg", 1)));
  EXPECT_THAT(list("a.jpg,1\n", "list.txt").samples, ElementsAre(Pair("a.jpg", 1)));
  EXPECT_THAT(list("a b.jpg\nc.jpg\n", "list.txt").samples,
              ElementsAre(Pair("a b.jpg", -1), Pair("c.jpg", -1)));
}

TEST(Manifest, PathsStayInsideTheRoot) {
  EXPECT_THAT(list("./a.jpg\nb/../c.jpg\nb//d.jpg\n/data/e.jpg\n/data/../data/f.jpg\n").samples,
              ElementsAre(Pair("a.jpg", -1), Pair("c.jpg", -1), Pair("b/d.jpg", -1), Pair("e.jpg", -1),
                          Pair("f.jpg", -1)));
  for (const char* path : {"../a.jpg", "b/../../a.jpg", "/database/a.jpg", "/a.jpg", "/data/../a.jpg",
                           "/data", ".", "/", "/../data/a.jpg"}) {
    EXPECT_THAT(refusal(std::string("ok.jpg\n") + path + "\n"),
                AllOf(HasSubstr("list.csv:2: found the path"), HasSubstr("expected one inside /data")))
        << path;
  }
  EXPECT_EQ(relative_path("/", "/a/b"), "a/b");
  EXPECT_EQ(relative_path("/x/./y/", "/x/y/b"), "b");
}

TEST(Manifest, NamesTheLine) {
  EXPECT_THAT(refusal("a.jpg\n\nb.jpg,1,2\n"),
              HasSubstr("list.csv:3: found 3 fields; expected a path and a label"));
  EXPECT_THAT(refusal("a.jpg\n,1\n"), HasSubstr("list.csv:2: found an empty path"));
  EXPECT_THAT(refusal("a.jpg\n\"b.jpg,1\n"), HasSubstr("list.csv:2: found an opening quote without"));
  EXPECT_THAT(refusal("\"a\nb.jpg\"\n\"b.jpg\"x,1\n"),
              HasSubstr("list.csv:3: found text after a closing quote"));
  EXPECT_THAT(refusal(std::string("a.jpg\nb\0.jpg,1\n", 15)), HasSubstr("list.csv:2: found a NUL byte"));
  EXPECT_THAT(refusal(std::string(70'000, 'a')), HasSubstr("list.csv:1: found more than 65536 bytes"));
  EXPECT_THAT(
      refusal("a.jpg,1\nb.jpg,4294967296\nc.jpg,-2\n"),
      AllOf(HasSubstr("list.csv:2: found the label 4294967296; expected a class from 0 to 2147483647"),
            Not(HasSubstr(":3:"))));
  EXPECT_THAT(refusal("a b.jpg 3\nc d.jpg\ne\n", "list.txt"),
              HasSubstr("list.txt:1: found 'a b.jpg 3'; expected a comma or a tab between path and label"));
  EXPECT_THAT(refusal(""), HasSubstr("list.csv: found no lines"));
  EXPECT_THAT(refusal("path,label\n\n"), HasSubstr("found no lines"));
  EXPECT_THAT(refusal("../a\x1B[2J\n"), AllOf(HasSubstr("'../a?[2J'"), Not(HasSubstr("\x1B"))));
}

TEST(Manifest, TellsThreeProblemsOfAKind) {
  std::string text = "ok.jpg,1\n";
  for (int i = 0; i < 30; ++i) text += "../a.jpg\n";
  text += ",1\n";
  const std::string message = refusal(text);
  EXPECT_THAT(message, AllOf(HasSubstr("list.csv:2: found the path"), HasSubstr("list.csv:4: found the path"),
                             Not(HasSubstr("list.csv:5:")), HasSubstr("list.csv: and 27 more such lines"),
                             HasSubstr("list.csv:32: found an empty path")));
}

TEST(Manifest, SeesThatTheFileHasChanged) {
  std::stringstream file("a.jpg,cat\n");
  Manifest manifest(file, place());
  manifest.check();
  file.str("a.jpg,dog\n");
  const auto [code, text] = error_of([&] { return manifest.list([](const auto&, auto) {}), 0; });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("list.csv:1: changed while it was read"));
}

TEST(ManifestDataset, IsRelativeToItsFolder) {
  const TemporaryFolder folder;
  write(folder / "lists/val.tsv", "x/a.jpg\tdog\nb.jpg\tcat\nb.jpg\n");
  const auto dataset = open(images_at(folder / "lists/val.tsv"), folder / "index");
  EXPECT_THAT(ids_of(*dataset), ElementsAre("x/a.jpg", "b.jpg", "b.jpg"));
  EXPECT_THAT(labels_of(*dataset), ElementsAre(1, 0, -1));
  EXPECT_THAT(dataset->class_names(), ElementsAre("cat", "dog"));
  EXPECT_EQ(dataset->locations(0, 1)[0], (Location{(folder / "lists/x/a.jpg").string()}));
  EXPECT_THAT(dataset->describe(), HasSubstr("val.tsv: 3 images, manifest, 2 classes"));
}

TEST(ManifestDataset, TakesARoot) {
  const TemporaryFolder folder;
  write(folder / "val.csv", fmt::format("a.jpg,1\n{}/images/b.jpg,2\n", folder.path().string()));
  config::Data config = images_at(folder / "val.csv");
  config.root = folder / "images/";
  const auto dataset = open(config, folder / "index");
  EXPECT_THAT(ids_of(*dataset), ElementsAre("a.jpg", "b.jpg"));
  EXPECT_EQ(dataset->locations(0, 1)[0].path, (folder / "images/a.jpg").string());
  EXPECT_THAT(dataset->describe(), HasSubstr("labelled"));
}

TEST(ManifestDataset, RefusesPipes) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe.csv").c_str(), 0600), 0);
  const auto [code, text] = error_of([&] { return open(images_at(folder / "pipe.csv"), folder / "index"); });
  EXPECT_EQ(code, ExitCode::no_input);
  EXPECT_THAT(text, HasSubstr("pipe.csv: cannot be read: it is not a regular file"));
}

TEST(ManifestDataset, RefusesOtherFiles) {
  const TemporaryFolder folder;
  write(folder / "a.jpg", "x");
  config::Data config = images_at(folder / "a.jpg");
  config.format = config::DataFormat::image_folder;
  const auto [code, text] = error_of([&] { return open(config, folder / "index"); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("a.jpg: found a file; expected a folder of images, or a manifest"));
}

/// The first reading of a hundred million lines takes a minute.
TEST(Manifest, TellsHowFarItIs) {
  std::istringstream in("a.jpg,0\nb.jpg,1\nc.jpg,0\n");
  Manifest manifest(in, place());
  ::testing::internal::CaptureStderr();
  manifest.check(Progress(std::chrono::milliseconds(0)));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("data: 1 lines checked so far, in 0."), HasSubstr("data: 3 lines checked")));
  std::istringstream again("a.jpg,0\nb.jpg,1\n");
  Manifest seldom(again, place());
  ::testing::internal::CaptureStderr();
  seldom.check();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), IsEmpty());
}

}  // namespace
}  // namespace polyhead::data
