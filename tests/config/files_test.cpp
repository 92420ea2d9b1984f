#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.hpp"
#include "polyhead/config/load.hpp"

namespace polyhead::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kGlobHeads =
    "heads:\n"
    "  - {weights: first.pth, layers: [linear 10]}\n"
    "  - {glob: 'h-*.pth', layers: [linear 10], weight: 2}\n"
    "  - {name: last, weights: last.pth, layers: [linear 10]}";

class ResolveFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"d.h5", "b.pth", "first.pth", "last.pth"}) folder_.write(name);
  }
  /// The small configuration with `heads`, in the test's folder.
  [[nodiscard]] Loaded loaded(const std::string& heads,
                              const std::vector<std::string>& overrides = {}) const {
    return parse(small_with(heads), "e.yaml", folder_.path(), overrides);
  }
  [[nodiscard]] Thrown error(const std::string& heads, const std::vector<std::string>& overrides = {}) const {
    return thrown_by([&] {
      Loaded l = loaded(heads, overrides);
      resolve_files(l);
    });
  }
  [[nodiscard]] std::string quoted(const std::string& name) const {
    return fmt::format("'{}'", (folder_.path() / name).string());
  }
  static std::vector<std::string> names(const Loaded& loaded) {
    std::vector<std::string> names;
    for (const Head& head : loaded.config.heads) names.push_back(head.name);
    return names;
  }
  Folder folder_;
};

TEST_F(ResolveFiles, MakesOneHeadAFileSortedByPath) {
  for (const char* name : {"h-10.pth", "h-2.pth", "h-B.pth", "h-a.pth", "h-c.txt", ".h-d.pth"})
    folder_.write(name);
  std::filesystem::create_directory(folder_.path() / "h-folder.pth");
  Loaded l = loaded(kGlobHeads);
  resolve_files(l);
  EXPECT_THAT(names(l), ElementsAre("first", "h-10", "h-2", "h-B", "h-a", "last"));
  EXPECT_EQ(l.config.heads[1].weights, folder_.path() / "h-10.pth");
  EXPECT_EQ(l.config.heads[1].glob, "");
  EXPECT_EQ(l.config.heads[1].weight, 2);
  EXPECT_EQ(l.config.heads[1].layers.size(), 1U);
}

TEST_F(ResolveFiles, MovesTheLocationsAlong) {
  folder_.write("h-1.pth");
  folder_.write("h-2.pth");
  Loaded l = loaded(kGlobHeads);
  resolve_files(l);
  EXPECT_EQ(l.where.at("heads[0].weights").str(), "e.yaml:4:15");
  EXPECT_EQ(l.where.at("heads[2].weights").str(), "e.yaml:5:12");
  EXPECT_EQ(l.where.at("heads[2].name").str(), "e.yaml:5:12");
  EXPECT_EQ(l.where.at("heads[2].weight").str(), "e.yaml:5:52");
  EXPECT_EQ(l.where.at("heads[3].name").str(), "e.yaml:6:12");
  EXPECT_EQ(l.where.count("heads[1].glob"), 0U);
}

TEST_F(ResolveFiles, ASecondTimeChangesNothing) {
  folder_.write("h-1.pth");
  Loaded l = loaded(kGlobHeads);
  resolve_files(l);
  const std::string before = to_yaml(l.config);
  resolve_files(l);
  EXPECT_EQ(to_yaml(l.config), before);
}

TEST_F(ResolveFiles, AWrittenPatternMatchesTheSame) {
  folder_.write("h-1.pth");
  Loaded l = parse(to_yaml(loaded(kGlobHeads).config), "e.yaml", "/elsewhere");
  resolve_files(l);
  EXPECT_THAT(names(l), ElementsAre("first", "h-1", "last"));
}

TEST_F(ResolveFiles, SpecialCharactersOfTheFolderStandForThemselves) {
  const Folder outer;
  for (const char* name : {"[x]*?\\y/d.h5", "[x]*?\\y/b.pth", "[x]*?\\y/h-1.pth", "xzz/h-2.pth"})
    outer.write(name);
  Loaded l = parse(small_with("heads: [{glob: 'h-*.pth', layers: [linear 10]}]"), "e.yaml",
                   outer.path() / "[x]*?\\y");
  resolve_files(l);
  EXPECT_THAT(names(l), ElementsAre("h-1"));
}

TEST_F(ResolveFiles, NamesAPatternWithoutMatch) {
  const auto e = error(kGlobHeads);
  EXPECT_EQ(e.code, ExitCode::no_input);
  EXPECT_EQ(e.message, "e.yaml:5:12: no file matches " + quoted("h-*.pth") + " (searched from the folder '" +
                           folder_.path().string() + "')");
}

TEST_F(ResolveFiles, ReportsAllMissingFilesAtOnce) {
  for (const char* name : {"d.h5", "b.pth", "last.pth"}) std::filesystem::remove(folder_.path() / name);
  folder_.write("bb.pth");
  const auto e = error(kGlobHeads, {"data.path=/nowhere/x/d.h5"});
  EXPECT_EQ(e.code, ExitCode::no_input);
  EXPECT_EQ(e.message, "e.yaml:2:21: backbone.weights: no such file: " + quoted("b.pth") +
                           "; did you mean 'bb.pth'?\n" + "e.yaml:5:12: no file matches " +
                           quoted("h-*.pth") + " (searched from the folder '" + folder_.path().string() +
                           "')\n" +
                           "e.yaml:6:27: weights of head 'last': no such file: " + quoted("last.pth") + "\n" +
                           "--set data.path=/nowhere/x/d.h5: data.path: no such file: '/nowhere/x/d.h5' "
                           "(there is no folder '/nowhere/x')");
}

TEST_F(ResolveFiles, RefusesAFolderAndABrokenLink) {
  std::filesystem::create_directory(folder_.path() / "names.txt");
  std::filesystem::create_symlink("nowhere", folder_.path() / "h-link.pth");
  const auto as_folder = error(kGlobHeads, {"data.classes=" + (folder_.path() / "names.txt").string()});
  EXPECT_EQ(as_folder.code, ExitCode::no_input);
  EXPECT_THAT(as_folder.message, HasSubstr("names.txt' is a folder; a file is needed"));
  const auto as_link = error(kGlobHeads);
  EXPECT_EQ(as_link.code, ExitCode::no_input);
  EXPECT_THAT(as_link.message, HasSubstr("e.yaml:5:12: weights of head 'h-link': " + quoted("h-link.pth") +
                                         " is a link to 'nowhere', which is not there"));
}

TEST_F(ResolveFiles, AFolderOfWeightsIsLeftToTheirReader) {
  std::filesystem::create_directory(folder_.path() / "w.pth");
  Loaded l = loaded("heads: [{weights: w.pth, layers: [linear 10]}]");
  resolve_files(l);
  EXPECT_EQ(l.config.heads[0].weights, folder_.path() / "w.pth");
}

TEST_F(ResolveFiles, RefusesAFileThatMayNotBeRead) {
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(folder_.path() / "b.pth", std::filesystem::perms::none);
  const pid_t child = ::fork();  // root may read everything: only a child can drop that right for good
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::getuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    const auto e = error("heads: [{weights: first.pth, layers: [linear 10]}]");
    const bool right =
        e.code == ExitCode::no_input && e.message == "e.yaml:2:21: backbone.weights: " + quoted("b.pth") +
                                                         " may not be read: Permission denied";
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(ResolveFiles, FindsNamesThatAreTakenOnlyNow) {
  folder_.write("h-1.pth");
  folder_.write("sub/h-1.safetensors");
  const auto e = error("heads: [{glob: 'h-*.pth', layers: [linear 1]}, {glob: 'sub/*', layers: [linear 1]}]");
  EXPECT_EQ(e.code, ExitCode::config);
  EXPECT_EQ(e.message,
            "e.yaml:3:55: the name 'h-1' is already taken by the head at e.yaml:3:16; heads need names that "
            "differ");
}

TEST_F(ResolveFiles, RefusesMatchesThatCannotNameAHead) {
  folder_.write("h-" + std::string(70, 'x') + ".pth");
  folder_.write("h-\xFF.pth");
  folder_.write("h-\n.pth");
  const auto e = error(kGlobHeads);
  EXPECT_EQ(e.code, ExitCode::config);
  EXPECT_THAT(e.message, HasSubstr("is longer than 63 bytes; rename it, or list it with a 'name'"));
  EXPECT_THAT(e.message, HasSubstr("is not UTF-8 text; rename it"));
  EXPECT_THAT(e.message, HasSubstr("h-\\x0a.pth' has a control character in it; rename it"));
}

/// `count` heads n0, n1, ... with weights in `folder`.
std::string many_heads(int count, const std::string& folder) {
  std::string heads = "heads:";
  for (int i = 0; i < count; ++i) {
    const std::string name = "n" + std::to_string(i);
    heads += "\n  - {weights: " + folder + name + ".pth, layers: [linear 10]}";
  }
  return heads;
}

TEST_F(ResolveFiles, TellsOneCauseOnce) {
  const auto e = error(many_heads(20, "nowhere/"));
  EXPECT_EQ(e.code, ExitCode::no_input);
  EXPECT_EQ(e.message,
            "e.yaml:4:15: there is no folder " + quoted("nowhere") +
                ", where 20 files should be: 'n0.pth' (weights of head 'n0'), 'n1.pth' (weights of head "
                "'n1'), 'n2.pth' (weights of head 'n2') and 17 more");
  EXPECT_EQ(
      error(many_heads(4, "")).message,
      "e.yaml:4:15: no such files in '" + folder_.path().string() +
          "': 'n0.pth' (weights of head 'n0'), 'n1.pth' (weights of head 'n1'), 'n2.pth' (weights of head "
          "'n2') and 1 more; the first: no such file: " +
          quoted("n0.pth") + "; did you mean 'b.pth'?");
}

TEST_F(ResolveFiles, TellsAFewOneByOne) {
  const auto e = error(many_heads(3, "nowhere/"));
  EXPECT_EQ(std::ranges::count(e.message, '\n'), 2);
  EXPECT_THAT(e.message,
              HasSubstr("e.yaml:6:15: weights of head 'n2': no such file: " + quoted("nowhere/n2.pth") +
                        " (there is no folder " + quoted("nowhere") + ")"));
}

TEST_F(ResolveFiles, TellsFilesThatAreThereOneByOne) {
  for (int i = 0; i < 5; ++i)
    ASSERT_EQ(::mkfifo((folder_.path() / ("n" + std::to_string(i) + ".pth")).c_str(), 0600), 0);
  EXPECT_EQ(std::ranges::count(error(many_heads(5, "")).message, '\n'), 4);
}

}  // namespace
}  // namespace polyhead::config
