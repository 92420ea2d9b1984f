#include "run/setup/output_check.hpp"

#include <gmock/gmock.h>

#include "../store/example.hpp"
#include "../support.hpp"

namespace polyhead::run {
namespace {

namespace fs = std::filesystem;
using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::HasSubstr;

class OutputCheck : public ::testing::Test {
 protected:
  OutputCheck() {
    config_.data.path = folder_.write("data.h5", "data");
    config_.data.classes.file = folder_.write("classes.txt", "cat");
    config_.backbone.weights = folder_.write("backbone.pth", "weights");
    config_.heads.emplace_back().name = "mlp";
    config_.heads.back().weights = folder_.write("head.pth", "weights");
    config_.run.against = folder_.write("reference.npz", "logits");
    yaml_ = folder_.write("job.yaml", "data:");
  }

  void expect_refused(const fs::path& output, const std::string& text) {
    config_.output.path = output;
    const auto [code, message] = error_of([&] { return check_output_is_no_input(config_, yaml_), 0; });
    EXPECT_EQ(code, ExitCode::config);
    EXPECT_EQ(message, output.string() + text +
                           ": a run would write over what it computes from. Choose another "
                           "output.path");
  }
  void expect_accepted(const fs::path& output) {
    config_.output.path = output;
    EXPECT_NO_THROW(check_output_is_no_input(config_, yaml_)) << output;
  }

  TemporaryFolder folder_;
  config::Config config_;
  fs::path yaml_;
};

TEST_F(OutputCheck, NamesTheOptionOfEachInput) {
  expect_refused(folder_ / "data.h5", ": is both output.path and data.path");
  expect_refused(folder_ / "classes.txt", ": is both output.path and data.classes");
  expect_refused(folder_ / "backbone.pth", ": is both output.path and backbone.weights");
  expect_refused(folder_ / "head.pth", ": is both output.path and weights of head 'mlp'");
  expect_refused(folder_ / "reference.npz", ": is both output.path and run.against");
  expect_refused(folder_ / "job.yaml", ": is both output.path and the configuration");
  expect_accepted(folder_ / "out.h5");
}

TEST_F(OutputCheck, KnowsInputsUnderOtherNames) {
  fs::create_symlink("backbone.pth", folder_ / "link.h5");
  fs::create_hard_link(folder_ / "head.pth", folder_ / "twin.h5");
  expect_refused(folder_ / "link.h5", ": is both output.path and backbone.weights");
  expect_refused(folder_ / "twin.h5", ": is both output.path and weights of head 'mlp'");
  fs::create_directory(folder_ / "sub");
  expect_refused(folder_ / "sub/../data.h5", ": is both output.path and data.path");
}

TEST_F(OutputCheck, LooksAtWhatIsWrittenBesideTheOutput) {
  config_.data.path = folder_.write("val.index", "a.png");
  config_.output.path = folder_ / "val";
  EXPECT_THAT(error_of([&] { return check_output_is_no_input(config_, yaml_), 0; }).second,
              HasSubstr("val.index: is both the list of samples beside output.path and data.path"));
  config_.data.path = folder_.write("val.lock", "a.png");
  EXPECT_THAT(error_of([&] { return check_output_is_no_input(config_, yaml_), 0; }).second,
              HasSubstr("val.lock: is both the lock of output.path and data.path"));
}

TEST_F(OutputCheck, AFileAmongTheDataIsAPartOfThemUnlessItIsAResult) {
  config_.data.path = folder_.path() / "images";
  fs::create_directories(folder_ / "images/cat");
  const fs::path image = folder_.write("images/cat/1.png", "an image");
  expect_refused(image, ": is both output.path and a part of data.path");
  expect_accepted(folder_ / "images/out.h5");
  const store::example::Fresh result;
  fs::copy_file(result.path, folder_ / "images/out.h5");
  expect_accepted(folder_ / "images/out.h5");
  config_.data.path = folder_ / "s-{000..002}.tar";
  expect_refused(folder_.write("s-001.tar", "a shard"), ": is both output.path and a part of data.path");
  expect_accepted(folder_.write("s-003.tar", "no shard of the pattern"));
}

}  // namespace
}  // namespace polyhead::run
