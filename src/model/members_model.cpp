#include "members_model.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "model/graph/call.hpp"
#include "model/graph/interpreter.hpp"
#include "model/torch/tensors.hpp"
#include "model/torch/torch_guard.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/checkpoint/shape.hpp"

namespace polyhead::model {
namespace {

using Strides = graph::CutForm::Strides;

std::size_t rounded_up(std::size_t bytes) {
  return static_cast<std::size_t>(graph::CutForm::rounded_up(static_cast<std::int64_t>(bytes)));
}

/// Tensors of the cut in their form, with their strides: bits of what is computed next may depend on them.
class CutWriter {
 public:
  explicit CutWriter(std::span<float> memory) : rest_(std::as_writable_bytes(memory)) {}

  void put(at::Tensor tensor) {
    if (!tensor.is_non_overlapping_and_dense()) tensor = tensor.contiguous();
    Strides strides{};
    std::ranges::copy(tensor.strides(), strides.begin());
    copy(strides.data(), sizeof strides);
    copy(tensor.const_data_ptr(), tensor.nbytes());
  }

 private:
  void copy(const void* from, std::size_t bytes) {
    if (bytes > 0) std::memcpy(rest_.data(), from, bytes);
    rest_ = rest_.subspan(rounded_up(bytes));
  }
  std::span<std::byte> rest_;
};

/// Reads what `CutWriter` wrote. The tensors lie in its memory.
class CutReader {
 public:
  explicit CutReader(std::span<const float> memory) : rest_(std::as_bytes(memory)) {}

  at::Tensor next(const graph::Tensor& described) {
    Strides strides;
    std::memcpy(strides.data(), rest_.data(), sizeof strides);
    rest_ = rest_.subspan(rounded_up(sizeof strides));
    const at::IntArrayRef used(strides.data(), described.shape.size());
    // from_blob has no const form; a cut is only read.
    void* const data = const_cast<std::byte*>(rest_.data());
    at::Tensor tensor =
        at::from_blob(data, described.shape, used, at::TensorOptions().dtype(scalar_type(described.type)));
    rest_ = rest_.subspan(rounded_up(tensor.nbytes()));
    return tensor;
  }

 private:
  std::span<const std::byte> rest_;
};

class MembersModel : public Model {
 public:
  MembersModel(Weights weights, int threads)
      : weights_(std::move(weights)), members_(*weights_.members), trunk_(make_trunk(threads)) {
    for (std::size_t k = 0; k < members_.branches.size(); ++k) {
      const graph::Value scores = members_.graph.outputs[k];
      branches_.emplace_back(members_.graph, members_.branches[k].nodes, std::vector{scores}, constants(),
                             threads);
    }
  }

  void features(std::span<const float> pixels, std::span<float> features) override {
    guarded("what members share", [&] {
      at::init_num_threads();  // OpenMP keeps the number of threads per calling thread
      const c10::InferenceMode inference;
      const graph::Value input = members_.graph.inputs.front();
      const at::Tensor images = view_of(pixels, members_.graph.values[input].shape);
      trunk_.give(input, images);
      trunk_.run();
      CutWriter writer(features);
      for (const graph::Value value : members_.cut) writer.put(value == input ? images : trunk_.take(value));
    });
  }

  void features(std::span<const std::uint8_t> /*bytes*/, std::span<float> /*features*/) override {
    throw Error(ExitCode::internal, "whole models take pixels as numbers");
  }

  void scores(std::span<const float> features, std::span<float> scores) override {
    guarded("the members", [&] {
      at::init_num_threads();
      const c10::InferenceMode inference;
      std::map<graph::Value, at::Tensor> cut;
      CutReader reader(features);
      for (const graph::Value value : members_.cut) cut[value] = reader.next(members_.graph.values[value]);
      const auto size = static_cast<std::size_t>(members_.graph.batch * weights_.classes);
      for (std::size_t k = 0; k < branches_.size(); ++k) compute(k, cut, scores.subspan(k * size, size));
    });
  }

 private:
  Interpreter make_trunk(int threads) {
    find_places();
    return {members_.graph, members_.trunk.nodes, members_.cut, constants(), threads};
  }

  /// Where each constant lies: the layout names them in this order.
  void find_places() {
    std::size_t next = 0;
    const auto place = [&](const graph::Part& part) {
      for (const std::uint32_t index : part.constants)
        places_[members_.graph.constants[index].value] = weights_.parameters.at(next++).offset;
    };
    place(members_.trunk);
    for (const graph::Part& branch : members_.branches) place(branch);
  }

  [[nodiscard]] Interpreter::Constants constants() {
    return [this](const graph::Constant& constant) {
      const graph::Tensor& described = members_.graph.values[constant.value];
      float* const data = weights_.values.data() + places_.at(constant.value);
      return at::from_blob(data, described.shape, at::TensorOptions().dtype(scalar_type(described.type)));
    };
  }

  void compute(std::size_t k, const std::map<graph::Value, at::Tensor>& cut, std::span<float> scores) {
    const graph::Value output = members_.graph.outputs[k];
    for (const auto& [value, tensor] : cut) branches_[k].give(value, tensor);
    branches_[k].run();
    const at::Tensor result = branches_[k].take(output);
    view_of(scores, result.sizes()).copy_(result);
  }

  Weights weights_;
  const graph::Ensemble& members_;
  std::map<graph::Value, std::int64_t> places_;  ///< of constants in `weights_.values`
  Interpreter trunk_;
  std::vector<Interpreter> branches_;
};

}  // namespace

std::unique_ptr<Model> make_members_model(Weights weights, std::int64_t batch, ImageShape image,
                                          int threads) {
  const graph::Ensemble& members = *weights.members;
  const std::vector<std::int64_t> wanted{batch, 3, image.height, image.width};
  if (const auto& taken = members.graph.values[members.graph.inputs.front()].shape; taken != wanted) {
    throw Error(ExitCode::internal,
                fmt::format("make_model: the members take {}, not {}", checkpoint::shape_text(taken),
                            checkpoint::shape_text(wanted)));
  }
  return std::make_unique<MembersModel>(std::move(weights), threads);
}

}  // namespace polyhead::model
