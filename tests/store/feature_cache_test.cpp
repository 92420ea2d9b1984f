#include "polyhead/store/feature_cache.hpp"

#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "polyhead/base/error.hpp"

namespace polyhead::store {
namespace {

using polyhead::testing::error_of;
using ::testing::HasSubstr;

constexpr FeatureShape kShape{10, 4, 3};

/// Values that follow from their place, a NaN among them; sample 1 of each micro-batch cannot be read.
Features features(std::int64_t batch) {
  Features made{batch, std::vector<Reason>(batch == 2 ? 2 : 4), std::vector<float>(12)};
  for (std::size_t i = 0; i < made.values.size(); ++i)
    made.values[i] = static_cast<float>(batch) + 0.25F * static_cast<float>(i);
  made.values[5] = std::numeric_limits<float>::quiet_NaN();
  made.reasons[1] = Reason::truncated;
  return made;
}

std::vector<std::byte> bytes_of(const Features& features) {
  WireWriter writer;
  features.put(writer);
  return std::move(writer).take();
}

class FeatureCacheTest : public ::testing::Test {
 protected:
  FeatureCache open(const std::string& key = "resnet18", const FeatureShape& shape = kShape) const {
    return {folder.path() / "out.h5", key, shape, [this](std::int64_t batch) { return stamps.at(batch); }};
  }
  void expect_holds(FeatureCache& cache, std::int64_t batch) {
    const auto found = cache.read(batch);
    ASSERT_TRUE(found.has_value()) << batch;
    EXPECT_EQ(bytes_of(*found), bytes_of(features(batch)));
  }
  /// Changes a byte of micro-batch 1.
  static void damage(const FeatureCache& cache, std::uint64_t place) {
    std::fstream file(cache.path(), std::ios::binary | std::ios::in | std::ios::out);
    const auto at = static_cast<std::streamoff>(4096 + cache.stride() + place);
    const int old = file.seekg(at).get();
    file.seekp(at).put(static_cast<char>(old ^ 1));
  }
  polyhead::testing::TemporaryFolder folder;
  /// Of the files of each micro-batch.
  std::map<std::int64_t, std::optional<Digest>> stamps{
      {0, Digest{1, 0}}, {1, Digest{1, 1}}, {2, Digest{1, 2}}};
};

TEST_F(FeatureCacheTest, GivesBackTheSameBitsToTheNextJob) {
  {
    FeatureCache cache = open();
    EXPECT_EQ(cache.held(), 0);
    for (std::int64_t batch : {0, 2}) cache.write(features(batch));
    expect_holds(cache, 2);
  }
  FeatureCache cache = open();
  EXPECT_EQ(cache.held(), 2);
  expect_holds(cache, 0);
  EXPECT_FALSE(cache.read(1));
  expect_holds(cache, 2);
  EXPECT_EQ(cache.served(), 2);
}

TEST_F(FeatureCacheTest, ServesNothingWhoseFilesHaveChanged) {
  {
    FeatureCache cache = open();
    for (std::int64_t batch : {0, 1, 2}) cache.write(features(batch));
  }
  stamps[1] = Digest{2, 1};
  FeatureCache cache = open();
  expect_holds(cache, 0);
  EXPECT_FALSE(cache.read(1));
  EXPECT_EQ(cache.outdated(), 1);
  cache.write(features(1));
  expect_holds(cache, 1);
  stamps[1] = Digest{1, 1};  // a file that was put back
  EXPECT_FALSE(cache.read(1));
}

/// A file that changes while it is read: the features may be those of either.
TEST_F(FeatureCacheTest, KeepsTheStampOfBeforeTheFilesWereRead) {
  FeatureCache cache = open();
  EXPECT_FALSE(cache.read(1));
  stamps[1] = Digest{2, 1};
  cache.write(features(1));
  EXPECT_FALSE(cache.read(1));
  EXPECT_EQ(cache.outdated(), 1);
  cache.write(features(1));
  expect_holds(cache, 1);
}

TEST_F(FeatureCacheTest, KeepsNothingOfFilesThatCannotBeTold) {
  FeatureCache cache = open();
  stamps[0].reset();
  EXPECT_FALSE(cache.read(0));
  stamps[0] = Digest{1, 0};
  cache.write(features(0));
  EXPECT_FALSE(cache.read(0));
  cache.write(features(0));
  expect_holds(cache, 0);
  stamps[0].reset();
  EXPECT_FALSE(cache.read(0));
}

TEST_F(FeatureCacheTest, AnotherKeyIsAnotherFile) {
  { open().write(features(1)); }
  FeatureCache other = open("resnet34");
  EXPECT_EQ(other.held(), 0);
  EXPECT_FALSE(other.read(1));
  FeatureCache same = open();
  EXPECT_NE(same.path(), other.path());
  expect_holds(same, 1);
}

TEST_F(FeatureCacheTest, BytesUnderTheWrongKeyOrPlaceAreNotTaken) {
  FeatureCache cache = open();
  FeatureCache other = open("resnet34");
  for (std::int64_t batch : {0, 1}) cache.write(features(batch));
  std::filesystem::copy_file(cache.path(), other.path(), std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(FeatureCacheTest::open("resnet50").read(0));
  std::fstream file(cache.path(), std::ios::binary | std::ios::in | std::ios::out);
  std::string slot(cache.stride(), '\0');
  file.seekg(4096).read(slot.data(), static_cast<std::streamsize>(slot.size()));
  file.seekp(static_cast<std::streamoff>(4096 + slot.size()))
      .write(slot.data(), static_cast<std::streamsize>(slot.size()));
  file.close();
  expect_holds(cache, 0);
  EXPECT_FALSE(cache.read(1));
  EXPECT_FALSE(other.read(0));
}

TEST_F(FeatureCacheTest, AnyDamagedByteMakesAMicroBatchMissing) {
  FeatureCache cache = open();
  for (std::int64_t batch : {0, 1, 2}) cache.write(features(batch));
  for (std::uint64_t place = 0; place < cache.stride(); ++place) {
    damage(cache, place);
    EXPECT_FALSE(cache.read(1)) << place;
    expect_holds(cache, 0);
    damage(cache, place);
  }
  expect_holds(cache, 1);
  cache.write(features(1));
  expect_holds(cache, 1);
}

TEST_F(FeatureCacheTest, SurvivesBeingCut) {
  {
    FeatureCache cache = open();
    for (std::int64_t batch : {0, 1, 2}) cache.write(features(batch));
    std::filesystem::resize_file(cache.path(), 4096 + cache.stride() + 20);
    EXPECT_FALSE(cache.read(2));
    cache.write(features(2));  // says so, and gives up
  }
  FeatureCache cache = open();
  expect_holds(cache, 0);
  EXPECT_FALSE(cache.read(1));
  cache.write(features(2));
  expect_holds(cache, 2);
}

TEST_F(FeatureCacheTest, ForgetsForGood) {
  {
    FeatureCache cache = open();
    for (std::int64_t batch : {0, 1}) cache.write(features(batch));
    cache.forget(1);
    EXPECT_FALSE(cache.read(1));
  }
  FeatureCache cache = open();
  EXPECT_EQ(cache.held(), 1);
  EXPECT_FALSE(cache.read(1));
  expect_holds(cache, 0);
}

TEST_F(FeatureCacheTest, WhatCannotBeForgottenIsNotServed) {
  FeatureCache cache = open();
  cache.write(features(1));
  std::filesystem::remove(cache.path());
  cache.forget(1);
  EXPECT_FALSE(cache.read(1));
}

TEST_F(FeatureCacheTest, HasOneJobAtATime) {
  FeatureCache cache = open();
  const auto [code, message] = error_of([&] { open(); });
  EXPECT_EQ(code, ExitCode::cant_create);
  EXPECT_THAT(message, HasSubstr("is being written by process"));
}

TEST_F(FeatureCacheTest, AsksForItsRoomBeforeItTakesAny) {
  const auto [code, message] = error_of([&] { open("k", {std::int64_t{1} << 32, 32, 2048}); });
  EXPECT_EQ(code, ExitCode::cant_create);
  EXPECT_THAT(message, HasSubstr("it needs 32."));
  EXPECT_THAT(message, HasSubstr("are free on this disk"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(FeatureCacheTest, RefusesFeaturesOfAnotherShape) {
  FeatureCache cache = open();
  Features wrong = features(2);
  wrong.reasons.push_back(Reason::none);
  EXPECT_EQ(error_of([&] { cache.write(wrong); }).first, ExitCode::internal);
  wrong = features(0);
  wrong.values.pop_back();
  EXPECT_EQ(error_of([&] { cache.write(wrong); }).first, ExitCode::internal);
  wrong = features(0);
  wrong.batch = 3;
  EXPECT_EQ(error_of([&] { cache.write(wrong); }).first, ExitCode::internal);
}

}  // namespace
}  // namespace polyhead::store
