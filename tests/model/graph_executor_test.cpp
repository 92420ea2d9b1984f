#include "polyhead/model/graph_executor.hpp"

#include <fstream>
#include <set>

#include <gmock/gmock.h>

#include "../checkpoint/support.hpp"
#include "model/graph/allowed.hpp"

namespace polyhead::model {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kSamples = 16;

/// A program for each operator, and what PyTorch gives.
class GraphOperators : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    static const testing::TemporaryFolder folder;  // made once for all cases
    folder_ = folder.path();
    ASSERT_EQ(testing::run_python("model/make_operators.py", "'" + folder_.string() + "'"), 0);
    std::ifstream lines(folder_ / "operators.txt");
    for (std::string name; lines >> name;) names_.push_back(name);
  }

  static std::vector<float> compute(const std::string& name, int threads) {
    const checkpoint::exported::Archive archive(folder_ / (name + ".pt2"));
    GraphExecutor executor(archive, graph::read_graph(archive, kSamples), threads);
    const std::vector<float> images = testing::read_floats(folder_ / (name + ".x.f32"));
    std::vector<float> scores(static_cast<std::size_t>(executor.outputs()));
    executor.run(images, scores);
    return scores;
  }

  static std::vector<float> expected(const std::string& name) {
    return testing::read_floats(folder_ / (name + ".y.f32"));
  }

  static inline std::filesystem::path folder_;
  static inline std::vector<std::string> names_;
};

TEST_F(GraphOperators, GivePyTorchsBits) {
  EXPECT_GT(names_.size(), 30);
  for (const std::string& name : names_) EXPECT_TRUE(compute(name, 1) == expected(name)) << name;
}

TEST_F(GraphOperators, GiveTheSameBitsOnAnyNumberOfThreads) {
  for (const std::string& name : names_) {
    for (const int threads : {2, 3, 5, 16})
      EXPECT_TRUE(compute(name, threads) == expected(name)) << name << " on " << threads << " threads";
  }
}

TEST_F(GraphOperators, AreAllTried) {
  std::set<std::string_view> missing;
  for (const std::string_view op : allowed_operators()) missing.insert(op);
  for (const std::string& name : names_) {
    const checkpoint::exported::Archive archive(folder_ / (name + ".pt2"));
    for (const graph::Node& node : graph::read_graph(archive, kSamples).nodes) missing.erase(node.op);
  }
  EXPECT_THAT(missing, IsEmpty());
}

TEST_F(GraphOperators, ThatAreNotRunAreNamedWithTheirPlace) {
  const checkpoint::exported::Archive archive(folder_ / "tanh.pt2");
  graph::Graph graph = graph::read_graph(archive, kSamples);
  graph.nodes[0].op = "aten.bernoulli.default";
  graph.nodes[0].module = "head.drop";
  graph.nodes[0].line = "net.py:7: x = random(x)";
  const auto [code, text] = testing::error_of([&] { return GraphExecutor(archive, graph, 1); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("tanh.pt2: aten.bernoulli.default at 'head.drop' (net.py:7: x = random(x)): "
                              "this operator is not run"));
  EXPECT_THAT(text, HasSubstr("src/model/graph/allowed.cpp"));
}

}  // namespace
}  // namespace polyhead::model
