/// Graphs of archives that torch.export wrote, against what PyTorch itself says of the models.

#include <fstream>
#include <map>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "polyhead/checkpoint/checkpoint.hpp"
#include "polyhead/graph/cost.hpp"
#include "polyhead/graph/identity.hpp"
#include "polyhead/graph/resnet.hpp"
#include "polyhead/graph/sharing.hpp"

namespace polyhead::graph {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::int64_t kBatch = 32;

class Exported : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    static const testing::TemporaryFolder folder;  // made once for all cases
    folder_ = folder.path();
    ASSERT_EQ(testing::run_python("graph/make_programs.py", "'" + folder_.string() + "'"), 0);
  }

  static Graph read(const std::string& name, std::int64_t batch = kBatch) {
    return read_graph(checkpoint::exported::Archive(folder_ / name), batch);
  }

  static Sharing share(const std::vector<std::string>& names) {
    std::vector<NamedGraph> members;
    for (const std::string& name : names) members.push_back({name, read(name)});
    return find_sharing(members);
  }

  static std::string refusal(const std::string& name, std::int64_t batch = kBatch) {
    const auto [code, text] = testing::error_of([&] { return read(name, batch); });
    EXPECT_EQ(code, ExitCode::bad_data);
    EXPECT_THAT(text, HasSubstr(name));
    return text;
  }

  static inline std::filesystem::path folder_;
};

TEST_F(Exported, MultiplyAddsAreThoseThatPyTorchCounts) {
  std::ifstream lines(folder_ / "programs.txt");
  int count = 0;
  std::string name;
  for (std::int64_t expected = 0; lines >> name >> expected; ++count) {
    const Graph graph = read(name);
    std::int64_t found = 0;
    for (const Node& node : graph.nodes) found += multiply_adds(graph, node);
    EXPECT_EQ(found, expected * graph.batch) << name;
  }
  EXPECT_EQ(count, 9);
}

TEST_F(Exported, TheBatchIsWhatTheArchiveAllows) {
  for (const std::int64_t batch : {2, 16, 1024}) {
    const Graph graph = read("base.pt2", batch);
    EXPECT_EQ(graph.batch, batch);
    EXPECT_EQ(graph.values[graph.inputs[0]].shape, (std::vector<std::int64_t>{batch, 3, 8, 8}));
    EXPECT_EQ(graph.values[graph.outputs[0]].shape, (std::vector<std::int64_t>{batch, 4}));
  }
  EXPECT_EQ(read("fixed_batch.pt2", 100).batch, 16);
  EXPECT_THAT(refusal("base.pt2", 1025), HasSubstr("batches of 2 to 1024 samples, not 1025"));
}

TEST_F(Exported, DropoutIsGoneAndNothingWritesIntoItsInput) {
  for (const Node& node : read("base.pt2").nodes) {
    EXPECT_THAT(node.op, Not(HasSubstr("dropout")));
    EXPECT_THAT(node.op, Not(HasSubstr("_."))) << "add_, relu_";
  }
}

/// Written in place or not, whatever the order of the weights' bytes: the same values, hence the same nodes.
TEST_F(Exported, WhatComputesTheSameIsTheSame) {
  const std::vector<Digest> base = identities(read("base.pt2"));
  EXPECT_EQ(identities(read("functional.pt2")), base);
  EXPECT_EQ(identities(read("channels_last.pt2")), base);
  EXPECT_EQ(identities(read("base.pt2", 16)), identities(read("fixed_batch.pt2")));
  EXPECT_NE(identities(read("head.pt2")), base);
}

/// The mask is written twice between two readings: what is read is another value each time.
TEST_F(Exported, WritesThroughViewsAreSeen) {
  const Graph graph = read("masked.pt2");
  const std::vector<Digest> digests = identities(graph);
  std::map<Digest, int> counts;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].op == "aten.fill_.Tensor" || graph.nodes[i].op == "aten.fill_.Scalar")
      ++counts[digests[i]];
  }
  EXPECT_EQ(counts.size(), 2);
  for (const auto& [digest, count] : counts) EXPECT_EQ(count, 1);
}

TEST_F(Exported, AHeadThatDiffersLeavesAllButTheLastNode) {
  const Sharing sharing = share({"base.pt2", "head.pt2", "base.pt2"});
  const auto nodes = static_cast<std::int64_t>(read("base.pt2").nodes.size());
  EXPECT_EQ(sharing.summed.nodes, 3 * nodes);
  EXPECT_EQ(sharing.merged.nodes, nodes + 1);
  EXPECT_EQ(sharing.common.nodes, nodes - 1);
  EXPECT_EQ(sharing.merged.multiply_adds, 21920 + 8 * 4);
  EXPECT_EQ(sharing.members[1].own, (Extent{1, 8 * 4, 4 * (8 * 4 + 4)}));
  ASSERT_TRUE(sharing.members[1].parting);
  EXPECT_EQ(sharing.members[1].parting->where, "fc (aten.linear.default)");
  EXPECT_EQ(sharing.members[1].parting->difference, "fc.weight has other values");
  EXPECT_EQ(sharing.members[2].equal_to, 0);
}

TEST_F(Exported, ThePartIsNamedWhereTheFirstNodeDiffers) {
  const Sharing sharing = share({"base.pt2", "head.pt2", "late.pt2"});
  ASSERT_TRUE(sharing.members[2].parting);
  EXPECT_EQ(sharing.members[2].parting->where, "layer2.conv (aten.conv2d.default)");
  EXPECT_EQ(sharing.members[2].parting->difference, "layer2.conv.weight has other values");
  EXPECT_EQ(sharing.members[2].parting->drifted, 0);
}

TEST_F(Exported, DriftedBatchNormsAreToldApart) {
  const Sharing sharing = share({"base.pt2", "drifted.pt2"});
  ASSERT_TRUE(sharing.members[1].parting);
  const Parting& parting = *sharing.members[1].parting;
  EXPECT_EQ(parting.where, "layer1.bn (aten.batch_norm.default)");
  EXPECT_EQ(parting.difference, "layer1.bn.running_mean has other values");
  EXPECT_EQ(parting.drifted, 2);
  EXPECT_EQ(parting.beyond, "fc (aten.linear.default)");
}

TEST_F(Exported, OtherClassesAndOtherInputs) {
  const Sharing sharing = share({"base.pt2", "classes.pt2"});
  EXPECT_EQ(sharing.common.nodes, 0);
  const auto [code, text] = testing::error_of([] { return share({"base.pt2", "fixed_batch.pt2"}); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("base.pt2 takes inputs of [32, 3, 8, 8], fixed_batch.pt2 of [16, 3, 8, 8]"));
}

/// A checkpoint and the program of the same model are one member.
TEST_F(Exported, ResNetsOfTheirWeightsAreTheirPrograms) {
  for (const char* name : {"resnet18", "resnext50_32x4d"}) {
    const std::filesystem::path file = folder_ / fmt::format("{}.pth", name);
    const Graph built =
        resnet_graph(resnet(name), file, checkpoint::read_checkpoint(file), {224, 224, kBatch});
    const Graph program = read(fmt::format("{}.pt2", name));
    EXPECT_EQ(identities(built), identities(program)) << name;
    EXPECT_EQ(built.values[built.outputs[0]].shape, program.values[program.outputs[0]].shape);
  }
}

TEST_F(Exported, WeightsOfAnotherResNetAreNamed) {
  const std::filesystem::path file = folder_ / "resnet18.pth";
  const checkpoint::Checkpoint weights = checkpoint::read_checkpoint(file);
  const auto reason = [&](const std::string& name, const checkpoint::Checkpoint& tensors) {
    const auto [code, text] = testing::error_of([&] {
      return resnet_graph(resnet(name), file, tensors, {224, 224, kBatch});
    });
    EXPECT_EQ(code, ExitCode::bad_data);
    return text;
  };
  EXPECT_THAT(
      reason("resnet50", weights),
      HasSubstr("'module.layer1.0.conv1.weight' has shape [64, 64, 3, 3], and resnet50 has [64, 64, 1, 1]"));
  EXPECT_THAT(reason("resnet34", weights),
              HasSubstr("has no 'module.layer1.2.conv1.weight', which resnet34 needs"));
  checkpoint::Checkpoint deeper = weights;
  deeper.push_back({"module.layer1.2.conv1.weight", {64, 64, 3, 3}, {}});
  EXPECT_THAT(reason("resnet18", deeper),
              HasSubstr("has 'module.layer1.2.conv1.weight', which resnet18 has not"));
  EXPECT_THAT(reason("resnet18", {}), HasSubstr("holds no layer1.0.conv1.weight, so it is no ResNet"));
  EXPECT_THAT(testing::error_of([] { return resnet("resnet20"); }).second,
              HasSubstr("known are resnet18, resnet34"));
}

TEST_F(Exported, WhatIsNoModelOfImagesInEvalModeIsRefused) {
  EXPECT_THAT(refusal("train.pt2"), HasSubstr("call .eval() before torch.export"));
  EXPECT_THAT(refusal("two_inputs.pt2"), HasSubstr("has 2 inputs, and a model of images has one"));
}

}  // namespace
}  // namespace polyhead::graph
