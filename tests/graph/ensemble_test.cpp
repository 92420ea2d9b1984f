/// Members merged into one graph: what is trunk, what is branch, what passes between them.

#include "polyhead/graph/ensemble.hpp"

#include <gmock/gmock.h>

#include "../support.hpp"
#include "polyhead/graph/identity.hpp"

namespace polyhead::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kSamples = 16;
using Shape = std::vector<std::int64_t>;

/// A member, node by node.
struct Drawn {
  Graph graph;
  Value last = 0;  ///< what the next node takes first

  Drawn() {
    graph.batch = kSamples;
    graph.inputs = {add({kSamples, 3, 4, 4})};
  }

  Value add(Shape shape) {
    graph.values.push_back({checkpoint::ElementType::f32, std::move(shape)});
    return static_cast<Value>(graph.values.size() - 1);
  }

  Value constant(const std::string& name, const std::string& content, Shape shape) {
    const Value value = add(std::move(shape));
    graph.constants.push_back(
        {value, name, Hasher().update(content).digest(), bytes_of(graph.values[value])});
    return value;
  }

  /// A node that takes `last` and these, with an output of this shape.
  Drawn& node(const std::string& op, Shape shape,
              std::vector<std::pair<std::string, Argument>> arguments = {}) {
    arguments.insert(arguments.begin(), {"self", last});
    return from_nothing(op, std::move(shape), std::move(arguments));
  }

  Drawn& from_nothing(const std::string& op, Shape shape,
                      std::vector<std::pair<std::string, Argument>> arguments) {
    last = add(std::move(shape));
    graph.nodes.push_back({op, std::move(arguments), {last}, "net", "net.py:1"});
    return *this;
  }

  /// A node that writes a number into `last`.
  Drawn& fill(double number) {
    graph.nodes.push_back({"aten.fill_.Scalar", {{"self", last}, {"value", number}}, {last}, "net", ""});
    return *this;
  }

  Drawn& scores(const std::string& weights, std::int64_t classes = 5) {
    const Value weight = constant("fc.weight", weights, {classes, 48});
    return from_nothing("aten.linear.default", {kSamples, classes}, {{"input", last}, {"weight", weight}});
  }

  [[nodiscard]] NamedGraph named(const std::string& name) const {
    NamedGraph member{name, graph};
    member.graph.outputs = {last};
    return member;
  }
};

/// relu, sigmoid, flatten, and a linear layer of these weights.
NamedGraph chain(const std::string& name, const std::string& weights, std::int64_t classes = 5) {
  Drawn drawn;
  drawn.node("aten.relu.default", {kSamples, 3, 4, 4}).node("aten.sigmoid.default", {kSamples, 3, 4, 4});
  drawn.node("aten.flatten.using_ints", {kSamples, 48}).scores(weights, classes);
  return drawn.named(name);
}

/// Zeros of the images' shape into which numbers are written, added to the images.
NamedGraph written(const std::string& name, std::vector<double> numbers) {
  Drawn drawn;
  const Value images = drawn.last;
  drawn.from_nothing("aten.zeros.default", {3, 4, 4}, {{"size", Shape{3, 4, 4}}});
  for (const double number : numbers) drawn.fill(number);
  const Value mask = drawn.last;
  drawn.from_nothing("aten.add.Tensor", {kSamples, 3, 4, 4}, {{"self", images}, {"other", mask}});
  drawn.node("aten.relu.default", {kSamples, 3, 4, 4}).node("aten.flatten.using_ints", {kSamples, 48});
  return drawn.scores(name).named(name);
}

std::vector<std::string> operators(const Ensemble& ensemble, const Part& part) {
  std::vector<std::string> names;
  for (const std::uint32_t node : part.nodes) names.push_back(ensemble.graph.nodes[node].op);
  return names;
}

TEST(Ensemble, SharedNodesStandOnceAndViewsAreLeftToTheBranches) {
  const Ensemble ensemble = merge({chain("a", "1"), chain("b", "2"), chain("c", "1")});
  EXPECT_EQ(ensemble.classes(), 5);
  EXPECT_THAT(ensemble.graph.nodes, SizeIs(5));
  EXPECT_THAT(operators(ensemble, ensemble.trunk),
              ElementsAre("aten.relu.default", "aten.sigmoid.default", "aten.flatten.using_ints",
                          "aten.linear.default"))
      << "a and c are equal, so their scores are shared, too; the trunk needs the view itself";
  EXPECT_THAT(operators(ensemble, ensemble.branches[0]), IsEmpty());
  EXPECT_THAT(operators(ensemble, ensemble.branches[1]), ElementsAre("aten.linear.default"));
}

TEST(Ensemble, WhatPassesOnIsWhatTheBranchesRead) {
  const Ensemble ensemble = merge({chain("a", "1"), chain("b", "2")});
  EXPECT_THAT(operators(ensemble, ensemble.trunk), ElementsAre("aten.relu.default", "aten.sigmoid.default"));
  for (const Part& branch : ensemble.branches)
    EXPECT_THAT(operators(ensemble, branch), ElementsAre("aten.flatten.using_ints", "aten.linear.default"));
  ASSERT_THAT(ensemble.cut, SizeIs(1));
  EXPECT_EQ(ensemble.graph.values[ensemble.cut[0]].shape, (Shape{kSamples, 3, 4, 4}));
  EXPECT_EQ(cut_bytes(ensemble), 64 + kSamples * 48 * 4);
  EXPECT_THAT(ensemble.trunk.constants, IsEmpty());
  EXPECT_THAT(ensemble.branches[0].constants, ElementsAre(0));
  EXPECT_THAT(ensemble.branches[1].constants, ElementsAre(1));
  const PartCost branch = cost_of(ensemble, ensemble.branches[1]);
  EXPECT_EQ(branch.multiply_adds, 5 * 48);
  EXPECT_EQ(branch.weight_bytes, 5 * 48 * 4);
  EXPECT_EQ(branch.activations, (48 + 5) * 4) << "a view takes no memory";
  EXPECT_EQ(cost_of(ensemble, ensemble.trunk).activations, 2 * 48 * 4);
}

TEST(Ensemble, AMemberAloneIsABranchOfTheImages) {
  const Ensemble ensemble = merge({chain("a", "1")});
  EXPECT_THAT(ensemble.trunk.nodes, IsEmpty());
  EXPECT_THAT(ensemble.branches.at(0).nodes, SizeIs(4));
  EXPECT_EQ(ensemble.cut, ensemble.graph.inputs);
}

TEST(Ensemble, ConstantsOfOneContentLieInMemoryOnce) {
  Drawn drawn;
  const Value weight = drawn.constant("other.name", "1", {5, 48});
  drawn.node("aten.flatten.using_ints", {kSamples, 48});
  drawn.node("aten.linear.default", {kSamples, 5}, {{"weight", weight}});
  const Ensemble ensemble = merge({chain("a", "1"), drawn.named("b")});
  EXPECT_THAT(ensemble.graph.constants, SizeIs(1));
  EXPECT_THAT(ensemble.trunk.constants, ElementsAre(0)) << "two branches need it";
}

TEST(Ensemble, MemoryThatIsWrittenIntoIsSharedAsAWhole) {
  const Ensemble same = merge({written("a", {1, 2}), written("b", {1, 2})});
  EXPECT_THAT(operators(same, same.trunk),
              ElementsAre("aten.zeros.default", "aten.fill_.Scalar", "aten.fill_.Scalar", "aten.add.Tensor",
                          "aten.relu.default"));
  const Ensemble other = merge({written("a", {1, 2}), written("b", {1})});
  EXPECT_THAT(other.trunk.nodes, IsEmpty()) << "b would read what a writes after it";
  EXPECT_THAT(operators(other, other.branches[1]),
              ElementsAre("aten.zeros.default", "aten.fill_.Scalar", "aten.add.Tensor", "aten.relu.default",
                          "aten.flatten.using_ints", "aten.linear.default"));
}

TEST(Ensemble, WhatDoesNotDependOnImagesIsNotPassedOn) {
  const auto member = [](const std::string& name) {
    Drawn drawn;
    const Value images = drawn.last;
    drawn.from_nothing("aten.zeros.default", {3, 4, 4}, {{"size", Shape{3, 4, 4}}}).fill(1);
    const Value mask = drawn.last;
    drawn.last = images;
    drawn.node("aten.relu.default", {kSamples, 3, 4, 4});
    drawn.node("aten.add.Tensor", {kSamples, 3, 4, 4}, {{"other", mask}, {"alpha", name == "a" ? 1.0 : 2.0}});
    return drawn.node("aten.flatten.using_ints", {kSamples, 48}).scores("1").named(name);
  };
  const Ensemble ensemble = merge({member("a"), member("b")});
  EXPECT_THAT(ensemble.cut, SizeIs(1)) << "the mask is made by each rank";
  EXPECT_THAT(operators(ensemble, ensemble.branches[0]),
              ElementsAre("aten.zeros.default", "aten.fill_.Scalar", "aten.add.Tensor",
                          "aten.flatten.using_ints", "aten.linear.default"));
}

TEST(Ensemble, SomeMembersKeepTrunkAndCut) {
  const Ensemble all = merge({chain("a", "1"), chain("b", "2"), chain("c", "3")});
  const Ensemble some = some_members(all, 1, 2);
  EXPECT_EQ(some.cut, all.cut);
  EXPECT_EQ(some.trunk.nodes, all.trunk.nodes);
  EXPECT_THAT(some.graph.outputs, ElementsAre(all.graph.outputs[1], all.graph.outputs[2]));
  EXPECT_EQ(some.branches[1].nodes, all.branches[2].nodes);
  EXPECT_EQ(some_members(all, 3, 0).classes(), 0);
}

TEST(Ensemble, OtherRanksGetTheSame) {
  Drawn drawn;
  const Value weight = drawn.constant("w", "1", {48});
  drawn.node("aten.some.default", {kSamples, 48},
             {{"none", std::monostate{}},
              {"list", Values{weight, std::nullopt}},
              {"truth", true},
              {"number", std::int64_t{-7}},
              {"real", 0.5},
              {"text", std::string("mode")},
              {"numbers", Shape{1, 2}},
              {"reals", std::vector<double>{1.5}},
              {"truths", std::vector<bool>{true, false}},
              {"dtype", checkpoint::exported::Code{checkpoint::exported::Code::Kind::scalar_type, 7}},
              {"device", checkpoint::exported::Device{"cpu"}}});
  const Ensemble sent = merge({drawn.scores("2").named("a"), chain("b", "3")});
  const std::vector<std::byte> bytes = to_bytes(sent);
  const Ensemble got = ensemble_of(bytes);
  EXPECT_EQ(to_bytes(got), bytes);
  EXPECT_EQ(identities(got.graph), identities(sent.graph));
  EXPECT_EQ(member_digests(got), member_digests(sent));
  const auto cut = std::span(bytes).first(bytes.size() - 1);
  EXPECT_EQ(testing::error_of([&] { return ensemble_of(cut); }).first, ExitCode::internal);
}

TEST(Ensemble, AMembersDigestIsThatOfWhatItComputes) {
  const std::vector<Digest> digests =
      member_digests(merge({chain("a", "1"), chain("b", "2"), chain("c", "1")}));
  EXPECT_EQ(digests[0], digests[2]);
  EXPECT_NE(digests[0], digests[1]);
  EXPECT_EQ(member_digests(merge({chain("b", "2")}))[0], digests[1]);
}

TEST(Ensemble, MembersThatDoNotBelongTogetherAreNamed) {
  const auto refusal = [](const std::vector<NamedGraph>& members) {
    const auto [code, text] = testing::error_of([&] { return merge(members); });
    EXPECT_EQ(code, ExitCode::bad_data);
    return text;
  };
  EXPECT_THAT(refusal({chain("a", "1"), chain("b", "1", 7)}), HasSubstr("a gives 5 classes, b gives 7"));
  NamedGraph large = chain("large", "1");
  large.graph.values[0].shape = {kSamples, 3, 8, 8};
  EXPECT_THAT(refusal({chain("a", "1"), large}), HasSubstr("large of [16, 3, 8, 8]"));
  Drawn map;
  map.node("aten.relu.default", {kSamples, 3, 4, 4});
  EXPECT_THAT(refusal({map.named("map")}), HasSubstr("map returns [16, 3, 4, 4]: a member returns scores"));
  Drawn writing;
  writing.fill(0);
  writing.node("aten.flatten.using_ints", {kSamples, 48});
  EXPECT_THAT(refusal({writing.scores("1").named("w")}),
              HasSubstr("w: aten.fill_.Scalar at 'net' writes into the model's input"));
}

}  // namespace
}  // namespace polyhead::graph
