#include "polyhead/run/resume.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "../store/example.hpp"
#include "../support.hpp"

namespace polyhead::run {
namespace {

using polyhead::testing::error_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::ordered_json;

Json identity() {
  std::string content;
  for (int i = 0; i < 64; ++i)
    content += std::string(content.empty() ? 0 : 1, ' ') + fmt::format("{:016x}", i);
  return {{"backbone", "resnet18"}, {"weights", "xxh128:1"}, {"data", "xxh128:2"},     {"samples", 1000},
          {"content", content},     {"batch", 32},           {"fusion", "mean-logits"}};
}

std::vector<std::string> changed(const std::string& key, const Json& value) {
  Json now = identity();
  now[key] = value;
  return identity_changes(identity().dump(), now.dump(), "r.h5");
}

TEST(IdentityChanges, AreToldInTheWordsOfTheConfiguration) {
  EXPECT_THAT(changed("samples", 1000), IsEmpty());
  const std::vector<std::tuple<std::string, Json, std::string>> cases{
      {"backbone", "resnet34", "backbone.arch: resnet18 in the file, resnet34 now"},
      {"precision", "bf16", "backbone.precision: nothing in the file, bf16 now"},
      {"engine", "libtorch", "backbone.engine: nothing in the file, libtorch now"},
      {"weights", "xxh128:9", "weights: those of the backbone or of a head are others now"},
      {"heads", "xxh128:9",
       "heads: their names, their order, their layers or their weights in the fusion are others now"},
      {"fusion", "mean-probabilities", "fusion.rule: mean-logits in the file, mean-probabilities now"},
      {"data", "xxh128:9", "data: the names of the samples, their order or their labels are others now"},
      {"places", "xxh128:9", "data: samples have other places or sizes in their shards now"},
      {"samples", 900, "number of samples: 1000 in the file, 900 now"},
      {"limits", "9 pixels", "data.max_pixels, data.max_file_size: nothing in the file, 9 pixels now"},
      {"classes", "xxh128:9",
       "data.classes: the outputs that the labels stand for, or their names, are others now"},
      {"preprocess", "fast: resize 9", "data.preprocess: nothing in the file, fast: resize 9 now"},
      {"batch", 16,
       "parallel.batch: 32 in the file, 16 now; without the option, or with 'auto', a run keeps that of the "
       "file"},
      {"news", 1, "news: nothing in the file, 1 now"}};
  for (const auto& [key, value, text] : cases) EXPECT_THAT(changed(key, value), ElementsAre(text));
}

TEST(IdentityChanges, TellWhichSamplesHaveOtherBytes) {
  std::string content = identity()["content"];
  content.replace(17 * 3, 1, "f");
  EXPECT_THAT(changed("content", content), ElementsAre("data: of 64 samples that were looked at, 1 has other "
                                                       "bytes now, the first of them is number 47"));
  content.replace(17 * 5, 1, "f");
  EXPECT_THAT(changed("content", content), ElementsAre(HasSubstr("2 have other bytes now, the first of them "
                                                                 "is number 47")));
  EXPECT_THAT(changed("content", "ab"), ElementsAre("data: the content of samples is another one now"));
}

TEST(IdentityChanges, OfATextThatIsNoIdentity) {
  for (const char* text : {"", "[]", "{"}) {
    const auto [code, message] = error_of([&] { return identity_changes(text, "{}", "r.h5"); });
    EXPECT_EQ(code, ExitCode::bad_data);
    EXPECT_THAT(message, HasSubstr("r.h5:/job/identity: is no JSON object"));
  }
}

TEST(IdentityOf, KnowsWhatARetryHasChanged) {
  const store::example::Fresh file;
  const auto found = [&] { return Json::parse(identity_of(store::Reader(file.path))); };
  EXPECT_EQ(found(), (Json{{"weights", "ab"}}));
  store::Writer writer = file.writer();
  writer.append_provenance(R"({"event":"start"})");
  writer.append_provenance(R"({"event":"resume","data":{"content":"1 2","places":"3"}})");
  writer.append_provenance(R"({"event":"resume","data":{"content":"4 5"}})");
  writer.append_provenance(R"({"event":"resume","data":{"content":"torn)");
  writer.finish();
  EXPECT_EQ(found(), (Json{{"content", "4 5"}, {"places", "3"}, {"weights", "ab"}}));
}

TEST(CompareFingerprints, RefusesOtherOnesOrWarns) {
  const std::string here = R"({"cpu":"zen","libc":"2.36"})";
  const std::string there = R"({"cpu":"icelake","libc":"2.36"})";
  EXPECT_EQ(compare_fingerprints(here, {here, ""}, false, "r.h5"), "");
  const auto [code, message] = error_of([&] {
    return compare_fingerprints(here, {there, ""}, false, "r.h5");
  });
  EXPECT_EQ(code, ExitCode::config);
  EXPECT_THAT(message, AllOf(HasSubstr("r.h5: this machine would not compute the same bits as the one that "
                                       "began the file: cpu: zen in the file, icelake now"),
                             HasSubstr("--allow-mixed")));
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(compare_fingerprints(here, {there, ""}, true, "r.h5"), "cpu: zen in the file, icelake now");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("[warning] r.h5: this machine would not"));
  EXPECT_EQ(error_of([&] {
              return compare_fingerprints("?", {here, ""}, true, "r.h5");
            }).first,
            ExitCode::bad_data);
}

}  // namespace
}  // namespace polyhead::run
