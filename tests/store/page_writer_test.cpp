#include "polyhead/store/page_writer.hpp"

#include <gmock/gmock.h>

#include "example.hpp"

namespace polyhead::store {
namespace {

using polyhead::testing::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PageWriterTest : public ::testing::Test {
 protected:
  [[nodiscard]] PageWriter pages() const {
    return {open_for_writing(fresh_.path), fresh_.layout, fresh_.offsets};
  }
  [[nodiscard]] Rows rows(std::int64_t batch) const { return example::rows(fresh_.layout, batch); }
  [[nodiscard]] std::int64_t done() const { return Reader(fresh_.path).progress().batches_done; }

  example::Fresh fresh_{example::wide_layout()};
};

TEST_F(PageWriterTest, WithTheWriterMakesTheFileThatTheWriterMakesAlone) {
  const example::Fresh alone(fresh_.layout);
  Writer only = alone.writer();
  Writer writer = fresh_.writer();
  PageWriter first = pages();
  PageWriter second = pages();
  for (std::int64_t batch = fresh_.layout.batches() - 1; batch >= 0; --batch) {
    only.write(rows(batch));
    PageWriter& own = batch % 3 == 0 ? first : second;
    const Rows rest = own.write(rows(batch));
    writer.write(Rows::from_wire(rest.to_wire()));
  }
  EXPECT_GT(first.bytes(), 0U);
  EXPECT_GT(second.bytes(), 0U);
  for (PageWriter* own : {&first, &second}) {
    for (const std::int64_t batch : own->sync()) writer.rest_is_synced(batch);
  }
  only.finish();
  writer.finish();
  EXPECT_EQ(done(), fresh_.layout.batches());
  EXPECT_EQ(Reader(fresh_.path).results_digest(), Reader(alone.path).results_digest());
}

TEST_F(PageWriterTest, RowsAreCommittedOnlyWhenTheirPagesAreOnTheDisk) {
  Writer writer = fresh_.writer();
  PageWriter own = pages();
  writer.write(own.write(rows(4)));
  writer.write(rows(2));
  EXPECT_EQ(writer.uncommitted(), 1);
  writer.commit();
  EXPECT_EQ(done(), 1);
  EXPECT_EQ(own.unsynced(), 1);
  EXPECT_THAT(own.sync(), ElementsAre(4));
  EXPECT_THAT(own.sync(), IsEmpty());
  writer.rest_is_synced(4);
  EXPECT_EQ(done(), 1);
  writer.commit();
  EXPECT_EQ(done(), 2);
}

TEST_F(PageWriterTest, OnlyARestCanBeSynced) {
  Writer writer = fresh_.writer();
  PageWriter own = pages();
  writer.write(rows(0));
  writer.write(own.write(rows(1)));
  writer.rest_is_synced(1);
  for (const std::int64_t batch : {0, 1, 2, -1, 1000}) {
    const auto [code, message] = error_of([&] { writer.rest_is_synced(batch); });
    EXPECT_EQ(code, ExitCode::internal);
    EXPECT_THAT(message, HasSubstr("has no pages that another wrote"));
  }
}

TEST_F(PageWriterTest, GivesBackAllOfWhatFillsNoPage) {
  const example::Fresh small;
  PageWriter own(open_for_writing(small.path), small.layout, small.offsets);
  const Rows rest = own.write(example::rows(small.layout, 0));
  EXPECT_FALSE(rest.rest);
  EXPECT_EQ(rest.to_wire(), example::rows(small.layout, 0).to_wire());
  EXPECT_EQ(own.unsynced(), 0);
}

TEST_F(PageWriterTest, RefusesRowsThatDoNotFit) {
  PageWriter own = pages();
  Rows wrong = rows(0);
  wrong.head_scores.pop_back();
  EXPECT_THAT(error_of([&] { own.write(wrong); }).second, HasSubstr("head_scores"));
  const Rows rest = own.write(rows(0));
  EXPECT_THAT(error_of([&] { own.write(rest); }).second, HasSubstr("a rest already"));
  Writer writer = fresh_.writer();
  Rows torn = rest;
  torn.head_scores.pop_back();
  EXPECT_EQ(error_of([&] { writer.write(torn); }).first, ExitCode::internal);
}

}  // namespace
}  // namespace polyhead::store
