#include "data/list/list_format.hpp"

#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "../support.hpp"
#include "data/list/manifest.hpp"
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
using testing::labels_of;
using ::testing::Not;
using testing::write;

/// A list whose images lie in a folder in which only `files` are there.
class Written {
 public:
  explicit Written(std::string text, std::string where = "list.csv")
      : text_(std::move(text)), place_{.where = std::move(where), .root = "/data"} {}
  Written& columns(const std::string& path, const std::string& label = "") {
    place_.columns = {path, label};
    return *this;
  }
  Written& files(const std::set<std::string>& files) {
    place_.is_file = [files](std::string_view path) { return files.contains(std::string(path)); };
    return *this;
  }
  /// "a.jpg 1 | b.jpg 2"
  [[nodiscard]] std::string read() const {
    std::istringstream in(text_);
    Manifest manifest(in, place_);
    manifest.check();
    std::vector<std::string> lines;
    manifest.list([&](const std::string& path, std::int32_t label) {
      lines.push_back(fmt::format("{} {}", path, label));
    });
    return join(lines, " | ");
  }
  [[nodiscard]] std::string refusal(ExitCode expected = ExitCode::bad_data) const {
    const auto [code, message] = error_of([&] { return read(); });
    EXPECT_EQ(code, expected) << text_;
    return message;
  }

 private:
  std::string text_;
  ListPlace place_;
};

/// pandas and NumPy write them; the expected answer comes from their values.
TEST(ListFormat, ReadsWhatPandasWrites) {
  constexpr int kLists = 60;
  const TemporaryFolder folder;
  ASSERT_EQ(polyhead::testing::run_python("data/make_lists.py",
                                          fmt::format("'{}' {}", folder.path().string(), kLists)),
            0);
  for (int i = 0; i < kLists; ++i) {
    const std::filesystem::path stem = folder / std::to_string(i);
    std::filesystem::path path;
    for (const char* suffix : {".csv", ".tsv", ".txt"}) {
      if (std::filesystem::exists(stem.string() + suffix)) path = stem.string() + suffix;
    }
    const auto dataset = open(images_at(path), folder / "index");
    const auto ids = ids_of(*dataset);
    const auto labels = labels_of(*dataset);
    std::vector<std::string> lines{join(dataset->class_names(), "\t")};
    for (std::size_t k = 0; k < ids.size(); ++k) lines.push_back(fmt::format("{}\t{}", labels[k], ids[k]));
    EXPECT_EQ(lines, testing::lines_of(stem.string() + ".expected")) << path;
  }
}

TEST(ListFormat, KnowsHeadersByTheirNames) {
  for (const char* header :
       {"path,label", "file_name,label", "Filename,Class", "IMAGE PATH,category_id", "img,y",
        "\"path\",\"label\"", "path, label", "image-id,target", "photo,label", "id_code,class"}) {
    EXPECT_EQ(Written(fmt::format("{}\na.jpg,1\nb.jpg,2\n", header)).read(), "a.jpg 1 | b.jpg 2") << header;
  }
  EXPECT_EQ(Written("label,path\n1,a.jpg\n2, b.jpg\n").read(), "a.jpg 1 | b.jpg 2");
  EXPECT_EQ(Written("file_name,width,label\na.jpg,640,1\nb.jpg,480,2\n").read(), "a.jpg 1 | b.jpg 2");
  EXPECT_EQ(Written("name,image,label\nx,a.jpg,1\ny,b.jpg,2\n").read(), "a.jpg 1 | b.jpg 2");
  EXPECT_EQ(Written("path,label\n00a,1\n00b,2\n").read(), "00a 1 | 00b 2") << "names without a suffix";
  EXPECT_EQ(Written("image\na.jpg\nb.jpg\n").read(), "a.jpg -1 | b.jpg -1");
}

TEST(ListFormat, LeavesAnIndexOut) {
  EXPECT_EQ(Written(",path,label\n0,a.jpg,1\n1,b.jpg,2\n").read(), "a.jpg 1 | b.jpg 2");
  EXPECT_EQ(Written("Unnamed: 0,label,img\n7,1,a.jpg\n9,2,b.jpg\n").read(), "a.jpg 1 | b.jpg 2");
  EXPECT_EQ(Written(",image\n0,a.jpg\n1,b.jpg\n").read(), "a.jpg -1 | b.jpg -1");
  EXPECT_EQ(Written(",label\na.jpg,1\nb.jpg,2\n").read(), "a.jpg 1 | b.jpg 2") << "the index holds the paths";
}

TEST(ListFormat, RefusesWithTheGuess) {
  EXPECT_THAT(
      Written("image,diagnosis\na.jpg,1\nb.jpg,2\n").refusal(),
      AllOf(HasSubstr("list.csv:1: found no column that surely holds labels: 'image' 'diagnosis'"),
            HasSubstr("data.columns: {path: image, label: diagnosis}, or {path: image} where there are no")));
  EXPECT_THAT(Written("path,class,label\na.jpg,1,x\nb.jpg,2,y\n").refusal(),
              AllOf(HasSubstr("more than one column of labels"), HasSubstr("{path: path, label: class}")));
  EXPECT_THAT(Written("path,label,label.1\na.jpg,1,0\nb.jpg,2,0\n").refusal(),
              AllOf(HasSubstr("more than one column of labels"), HasSubstr("{path: path, label: label}")))
      << "as pandas writes two columns of one name";
  EXPECT_THAT(Written("image,path,label\n1,2,3\n4,5,6\n").refusal(),
              AllOf(HasSubstr("more than one column of paths"), HasSubstr("{path: image, label: ")));
  EXPECT_THAT(Written("x,what is it\na.jpg,1\nb.jpg,2\n").refusal(),
              AllOf(HasSubstr("a line that may be a header or a sample"),
                    HasSubstr("{path: x, label: \"what is it\"}")));
  EXPECT_THAT(Written("image,breed\n001,pug\n002,boxer\n").refusal(),
              HasSubstr("may be a header or a sample"));
  EXPECT_THAT(Written("x,z\n001,1\n002,2\n").refusal(), HasSubstr("may be a header or a sample"));
  EXPECT_THAT(Written("0,1\na.jpg,1\nb.jpg,2\n").refusal(), HasSubstr("{path: 0, label: 1}"));
  EXPECT_THAT(Written("a.jpg,1,2\nb.jpg,2,3\n").refusal(),
              AllOf(HasSubstr("3 columns without a header"), HasSubstr("{path: 1, label: 2}, or {path: 1}")));
  EXPECT_THAT(Written("0,a.jpg\n1,b.jpg\n").refusal(),
              AllOf(HasSubstr("paths in the second column"), HasSubstr("{path: 2, label: 1}")));
  EXPECT_THAT(Written("a.jpg,a.png\nb.jpg,b.png\n").refusal(), HasSubstr("two columns of paths"));
}

TEST(ListFormat, AFileIsNoHeader) {
  EXPECT_EQ(Written("image,breed\n001,pug\n").files({"image"}).read(), "image 0 | 001 1");
  EXPECT_EQ(Written("x,3\na.jpg,1\n").files({"x"}).read(), "x 3 | a.jpg 1");
  EXPECT_EQ(Written("x.webp,3\na.jpg,1\n").read(), "x.webp 3 | a.jpg 1");
  EXPECT_EQ(Written("foo,pug\nbar,boxer\n").read(), "foo 1 | bar 0")
      << "as ever, where nothing tells of a header";
}

TEST(ListFormat, ColumnsAreChosen) {
  const std::string table = "id,image,mask,Diagnosis\n7,a.jpg,a.png,1\n8,b.jpg,b.png,2\n";
  EXPECT_EQ(Written(table).columns("image", "diagnosis").read(), "a.jpg 1 | b.jpg 2");
  EXPECT_EQ(Written(table).columns("mask", "id").read(), "a.png 7 | b.png 8");
  EXPECT_EQ(Written(table).columns("image").read(), "a.jpg -1 | b.jpg -1");
  EXPECT_EQ(Written("image,diagnosis\na.jpg,1\n").columns("", "diagnosis").read(), "a.jpg 1");
  EXPECT_EQ(Written("5,a.jpg,1\n6,b.jpg,2\n").columns("2", "3").read(), "a.jpg 1 | b.jpg 2");
  EXPECT_EQ(Written("0,1\na.jpg,1\nb.jpg,2\n").columns("0", "1").read(), "a.jpg 1 | b.jpg 2");
  EXPECT_EQ(Written(",0\na.jpg,1\nb.jpg,2\n").columns("", "0").read(), "a.jpg 1 | b.jpg 2");
  EXPECT_EQ(Written("path,split,label\na.jpg,x,1\n").columns("1", "3").read(), "a.jpg 1")
      << "the header is left out";
}

TEST(ListFormat, ColumnsThatDoNotFit) {
  const std::string table = "image,diagnosis\na.jpg,1\n";
  EXPECT_THAT(
      Written(table).columns("imge", "diagnosis").refusal(ExitCode::config),
      HasSubstr("data.columns.path: list.csv:1: found no column 'imge' among 'image', 'diagnosis'; did you "
                "mean 'image'?"));
  EXPECT_THAT(Written(table).columns("image", "3").refusal(ExitCode::config),
              HasSubstr("data.columns.label: list.csv:1: found 2 columns; expected column 3"));
  EXPECT_THAT(Written(table).columns("image", "1").refusal(ExitCode::config),
              HasSubstr("column 'image' of list.csv is path and label"));
}

TEST(ListFormat, SeparatorsAreFoundOut) {
  for (const char* where : {"list.csv", "list.tsv", "list.txt"}) {
    for (const char* separator : {",", ";", "\t", " "}) {
      EXPECT_EQ(Written(fmt::format("x y.jpg{0}1\nz.png{0}2\n", separator), where).read(),
                "x y.jpg 1 | z.png 2")
          << where << " '" << separator << "'";
      EXPECT_EQ(Written(fmt::format("path{0}label\nx y.jpg{0}1\nz.png{0}2\n", separator), where).read(),
                "x y.jpg 1 | z.png 2")
          << where << " '" << separator << "'";
    }
  }
  EXPECT_EQ(Written("path;label;score\na.jpg;1;0,5\nb.jpg;2;0,25\n").read(), "a.jpg 1 | b.jpg 2");
  EXPECT_EQ(Written("001 7\n002 8\n", "list.txt").read(), "001 7 | 002 8");
  EXPECT_EQ(Written("a.jpg cat\nb.jpg dog\n", "list.txt").read(), "a.jpg 0 | b.jpg 1");
  EXPECT_EQ(Written("a.jpg   7\nb.jpg 8\n", "list.txt").read(), "a.jpg 7 | b.jpg 8");
  EXPECT_EQ(Written("a.jpg 1\n", "list.txt").files({"a.jpg 1"}).read(), "a.jpg 1 -1")
      << "a file of that name";
  EXPECT_EQ(Written("\"a.jpg\",\"1\"\n\"b.jpg\",\"2\"\n", "list.txt").read(), "a.jpg 1 | b.jpg 2");
  EXPECT_EQ(Written("path,label\ra.jpg,1\rb.jpg,2\r").read(), "a.jpg 1 | b.jpg 2") << "old Macs";
}

TEST(ListFormat, TwoSeparatorsThatFitAreRefused) {
  EXPECT_THAT(
      Written("a.jpg,b.jpg 1\nc.jpg,d.jpg 2\n", "list.txt").refusal(),
      AllOf(HasSubstr("list.txt:1: found lines that can be read in two ways: with a comma between the cells "
                      "('a.jpg' 'b.jpg 1'), and with a space ('a.jpg,b.jpg' '1')"),
            HasSubstr("quotes around cells")));
}

TEST(ListFormat, LinesMustHaveTheHeadersCells) {
  EXPECT_THAT(Written("path,label,split\na.jpg,1,val\nb.jpg,2\n").refusal(),
              HasSubstr("list.csv:3: found 2 fields; expected 3, as in the first line"));
}

TEST(ListFormat, WhatIsNoTextIsNamed) {
  EXPECT_THAT(Written(std::string("\xFF\xFEp\0a\0", 6)).refusal(),
              HasSubstr("list.csv: found text in UTF-16"));
  EXPECT_THAT(
      Written(std::string("PK\3\4\x14\0\6\0", 8) + std::string(22, '\0') + "[Content_Types].xml").refusal(),
      HasSubstr("list.csv: this is a workbook or document (.xlsx, .ods, .docx); expected a list"));
  EXPECT_THAT(Written("version https://git-lfs.github.com/spec/v1\noid sha256:0\n").refusal(),
              HasSubstr("a pointer of Git LFS"));
  EXPECT_THAT(Written("<!DOCTYPE html><html>\n").refusal(), HasSubstr("an HTML page"));
  EXPECT_EQ(Written("PAR1/a.jpg,1\nBMW/b.jpg,2\n").read(), "PAR1/a.jpg 1 | BMW/b.jpg 2")
      << "text all the same";
}

TEST(ListFormat, BackslashesOfWindows) {
  const Written list("path,label\n.\\x\\a.jpg,1\nx\\b.jpg,2\n");
  EXPECT_EQ(Written(list).files({"./x/a.jpg"}).read(), "x/a.jpg 1 | x/b.jpg 2");
  EXPECT_EQ(Written(list).files({".\\x\\a.jpg"}).read(), ".\\x\\a.jpg 1 | x\\b.jpg 2");
  EXPECT_THAT(
      Written(list).files({}).refusal(),
      AllOf(HasSubstr("found the path '.\\x\\a.jpg' with backslashes, but in /data is neither such a file "
                      "nor './x/a.jpg'"),
            HasSubstr("data.root")));
}

TEST(ListFormat, AbsolutePathsNeedNoRoot) {
  const TemporaryFolder folder;
  write(folder / "images/a.jpg");
  write(folder / "lists/b.jpg");
  write(folder / "lists/val.csv",
        fmt::format("{0}/images/a.jpg,1\n{0}/lists/b.jpg,2\n", folder.path().string()));
  config::Data config = images_at(folder / "lists/val.csv");
  const auto dataset = open(config, folder / "index");
  EXPECT_THAT(ids_of(*dataset), ElementsAre((folder / "images/a.jpg").string(), "b.jpg"));
  EXPECT_EQ(dataset->locations(0, 1)[0].path, (folder / "images/a.jpg").string());
  EXPECT_EQ(dataset->locations(1, 1)[0].path, (folder / "lists/b.jpg").string());
  config.root = folder / "lists";
  const auto [code, text] = error_of([&] { return open(config, folder / "index"); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, AllOf(HasSubstr("val.csv:1: found the path"), HasSubstr("data.root chooses the folder")));
}

/// Its labels may be others.
TEST(ListFormat, AnOtherChoiceOfColumnsIsAnotherList) {
  const TemporaryFolder folder;
  write(folder / "val.csv", "path,label,coarse\na.jpg,1,5\n");
  testing::make_old(folder / "val.csv");
  config::Data config = images_at(folder / "val.csv");
  EXPECT_THAT(labels_of(*open(config, folder / "index")), ElementsAre(1));
  config.columns = {"path", "coarse"};
  EXPECT_THAT(labels_of(*open(config, folder / "index")), ElementsAre(5));
}

}  // namespace
}  // namespace polyhead::data
