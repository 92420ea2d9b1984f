#include "interpreter.hpp"

#include <algorithm>

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "allowed.hpp"
#include "model/torch/torch_guard.hpp"
#include "polyhead/checkpoint/fail.hpp"

namespace polyhead::model {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& file, const graph::Node& node, std::string_view why) {
  checkpoint::bad_data(
      file, fmt::format("{} at '{}' ({}): {}", checkpoint::printable(node.op),
                        checkpoint::printable(node.module), checkpoint::printable(node.line), why));
}

}  // namespace

void check_operators(const std::filesystem::path& file, const graph::Graph& graph) {
  for (const graph::Node& node : graph.nodes) {
    if (!is_allowed(node.op)) {
      refuse(file, node,
             "this operator is not run: it is not known to give the same bits on every rank; to allow "
             "it, add it to src/model/graph/allowed.cpp, whose test shows that it does");
    }
    try {
      const Call tried(node);
    } catch (const std::exception& error) {
      const std::string_view text = error.what();
      refuse(file, node, text.substr(0, text.find('\n')));
    }
  }
}

Interpreter::Interpreter(const graph::Graph& graph, std::vector<std::uint32_t> nodes,
                         const std::vector<graph::Value>& wanted, const Constants& constants, int threads)
    : graph_(graph), threads_(threads), nodes_(std::move(nodes)), values_(graph.values.size()) {
  for (const std::uint32_t node : nodes_) calls_.emplace_back(graph_.nodes[node]);
  const c10::InferenceMode inference;
  fetch_constants(constants);
  compute_fixed();
  find_ends(wanted);
}

void Interpreter::fetch_constants(const Constants& constants) {
  std::vector<bool> needed(values_.size(), false);
  for (const Call& call : calls_)
    for (const graph::Value value : call.inputs()) needed[value] = true;
  for (const graph::Value output : graph_.outputs) needed[output] = true;
  for (const graph::Constant& constant : graph_.constants)
    if (needed[constant.value]) values_[constant.value] = constants(constant);
}

void Interpreter::compute_fixed() {
  const std::vector<bool> changing = graph::depends_on_inputs(graph_);
  std::vector<std::uint32_t> nodes;
  std::vector<Call> calls;
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (changing[nodes_[i]]) {
      nodes.push_back(nodes_[i]);
      calls.push_back(std::move(calls_[i]));
    } else {
      call(i);
    }
  }
  nodes_ = std::move(nodes);
  calls_ = std::move(calls);
}

void Interpreter::find_ends(const std::vector<graph::Value>& wanted) {
  constexpr std::size_t kStays = static_cast<std::size_t>(-1);
  std::vector<std::size_t> last(values_.size(), kStays);
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    for (const graph::Value value : calls_[i].inputs()) last[value] = i;
    for (const auto& output : graph_.nodes[nodes_[i]].outputs)
      if (output) last[*output] = i;
  }
  for (std::size_t value = 0; value < last.size(); ++value)
    if (!values_[value].isNone()) last[value] = kStays;  // constants, and what was computed once
  for (const graph::Value value : wanted) last[value] = kStays;
  ends_.resize(calls_.size());
  for (std::size_t value = 0; value < last.size(); ++value)
    if (last[value] != kStays) ends_[last[value]].push_back(static_cast<graph::Value>(value));
}

void Interpreter::call(std::size_t i) {
  const graph::Node& node = graph_.nodes[nodes_[i]];
  guarded(fmt::format("{} at '{}'", node.op, node.module), [&] {
    const bool one = threads_ > 1 && wants_one_thread(node.op);
    if (one) at::set_num_threads(1);
    calls_[i].run(values_);
    if (one) at::set_num_threads(threads_);
  });
}

void Interpreter::run() {
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    call(i);
    for (const graph::Value value : ends_[i]) values_[value] = {};
  }
}

at::Tensor Interpreter::take(graph::Value value) {
  at::Tensor tensor = values_[value].toTensor();
  values_[value] = {};
  return tensor;
}

}  // namespace polyhead::model
