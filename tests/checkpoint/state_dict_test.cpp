#include "polyhead/checkpoint/state_dict.hpp"

#include <gmock/gmock.h>

#include "support.hpp"

namespace polyhead::checkpoint {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A document that is put together by hand.
class StateDict : public ::testing::Test {
 protected:
  pickle::Id add(pickle::Object object) {
    document_.objects.push_back(std::move(object));
    return static_cast<pickle::Id>(document_.objects.size() - 1);
  }
  pickle::Id tensor(std::int64_t width) { return add(pickle::Tensor{{}, 0, {width}, {1}}); }
  pickle::Id dict(const std::vector<std::pair<std::string, pickle::Id>>& items) {
    pickle::Dict made;
    for (const auto& [key, value] : items) made.items.emplace_back(add(key), value);
    return add(std::move(made));
  }
  pickle::Id tensors(std::int64_t width) { return dict({{"w", tensor(width)}}); }
  void root(pickle::Id id) { document_.root = id; }

  /// The length of the tensor "w" in the dict that is found.
  std::int64_t found(const std::string& key = "") {
    const pickle::Dict& dict = find_state_dict("f.pth", document_, key);
    return std::get<pickle::Tensor>(document_.objects[dict.items.at(0).second]).shape.at(0);
  }
  std::string refusal(const std::string& key = "") {
    const auto [code, text] = testing::error_of([&] { return found(key); });
    EXPECT_EQ(code, ExitCode::bad_data);
    return text;
  }

  pickle::Document document_;
};

TEST_F(StateDict, IsFoundUnderAnyKeyAtAnyDepth) {
  root(tensors(3));
  EXPECT_EQ(found(), 3);
  root(dict({{"epoch", add(std::int64_t{7})}, {"ema", dict({{"weights", tensors(4)}})}}));
  EXPECT_EQ(found(), 4);
  root(add(pickle::List{{tensors(5)}}));
  EXPECT_EQ(found(), 5);
}

TEST_F(StateDict, AnOptimizersNumbersAreNotFollowed) {
  pickle::Dict by_number;
  by_number.items.emplace_back(add(std::int64_t{0}), tensors(9));
  root(dict({{"model", tensors(3)}, {"optimizer", dict({{"state", add(std::move(by_number))}})}}));
  EXPECT_EQ(found(), 3);
}

TEST_F(StateDict, OfSeveralTheKeyDecides) {
  root(dict({{"state_dict", tensors(3)},
             {"state_dict_ema", tensors(4)},
             {"student", dict({{"a", tensors(5)}, {"b", tensors(6)}})}}));
  EXPECT_EQ(refusal(),
            "f.pth: holds several dicts of tensors, 'state_dict', 'state_dict_ema', 'student.a', "
            "'student.b': say which is meant with key:");
  EXPECT_EQ(found("state_dict_ema"), 4);
  EXPECT_EQ(found("student.b"), 6);
  EXPECT_THAT(refusal("student"), HasSubstr("'student.a', 'student.b': say which"));
  EXPECT_EQ(refusal("teacher"),
            "f.pth: has no tensors under the key 'teacher', but under 'state_dict', 'state_dict_ema', "
            "'student.a', 'student.b'");
}

TEST_F(StateDict, TheErrorListsNamesAndShapes) {
  root(add(pickle::List{{tensors(3), tensors(4)}}));
  try {
    found();
    FAIL();
  } catch (const SeveralStateDicts& several) {
    ASSERT_EQ(several.entries().size(), 2U);
    EXPECT_EQ(several.entries()[1].key, "1");
    EXPECT_EQ(several.entries()[1].tensors.at(0).name, "w");
    EXPECT_THAT(several.entries()[1].tensors.at(0).shape, ElementsAre(4));
  }
}

TEST_F(StateDict, TheSameDictTwiceIsOne) {
  const pickle::Id one = tensors(3);
  root(dict({{"model", one}, {"best", one}}));
  EXPECT_EQ(found(), 3);
}

TEST_F(StateDict, MayHoldItself) {
  const pickle::Id self = dict({{"model", tensors(3)}});
  std::get<pickle::Dict>(document_.objects[self]).items.emplace_back(add(std::string("again")), self);
  root(self);
  EXPECT_EQ(found(), 3);
}

}  // namespace
}  // namespace polyhead::checkpoint
