#include "allowed.hpp"

#include <algorithm>
#include <array>

namespace polyhead::model {
namespace {

struct Allowed {
  std::string_view op;
  /// Its bits depend on the number of threads: ends of vectors lie elsewhere, or sums are divided otherwise.
  bool one_thread = false;
};

/// Operators that are run, sorted. A new one is a row, and a case in tests/model/make_operators.py: the test
/// compares it with PyTorch, and its bits on 1, 2, 3, 5 and 16 threads.
constexpr std::array kAllowed{Allowed{"aten.adaptive_avg_pool2d.default"},
                              Allowed{"aten.add.Tensor"},
                              Allowed{"aten.avg_pool2d.default"},
                              Allowed{"aten.batch_norm.default"},
                              Allowed{"aten.cat.default"},
                              Allowed{"aten.chunk.default"},
                              Allowed{"aten.clamp.default"},
                              Allowed{"aten.clamp_min.default"},
                              Allowed{"aten.clone.default"},
                              Allowed{"aten.contiguous.default"},
                              Allowed{"aten.conv2d.default"},
                              Allowed{"aten.div.Tensor"},
                              Allowed{"aten.einsum.default", true},
                              Allowed{"aten.elu.default", true},
                              Allowed{"aten.eq.Scalar"},
                              Allowed{"aten.exp.default", true},
                              Allowed{"aten.expand.default"},
                              Allowed{"aten.expand_as.default"},
                              Allowed{"aten.fill_.Scalar"},
                              Allowed{"aten.flatten.using_ints"},
                              Allowed{"aten.gelu.default", true},
                              Allowed{"aten.group_norm.default"},
                              Allowed{"aten.hardsigmoid.default"},
                              Allowed{"aten.hardswish.default"},
                              Allowed{"aten.hardtanh.default"},
                              Allowed{"aten.index.Tensor"},
                              Allowed{"aten.layer_norm.default"},
                              Allowed{"aten.leaky_relu.default"},
                              Allowed{"aten.linalg_vector_norm.default"},
                              Allowed{"aten.linear.default", true},
                              Allowed{"aten.masked_fill.Scalar"},
                              Allowed{"aten.matmul.default", true},
                              Allowed{"aten.max_pool2d.default"},
                              Allowed{"aten.mean.dim"},
                              Allowed{"aten.mul.Tensor"},
                              Allowed{"aten.ne.Scalar"},
                              Allowed{"aten.new_zeros.default"},
                              Allowed{"aten.pad.default"},
                              Allowed{"aten.permute.default"},
                              Allowed{"aten.relu.default"},
                              Allowed{"aten.relu6.default"},
                              Allowed{"aten.reshape.default"},
                              Allowed{"aten.roll.default"},
                              Allowed{"aten.rsub.Scalar"},
                              Allowed{"aten.scaled_dot_product_attention.default"},
                              Allowed{"aten.select.int"},
                              Allowed{"aten.sigmoid.default", true},
                              Allowed{"aten.silu.default", true},
                              Allowed{"aten.slice.Tensor"},
                              Allowed{"aten.softmax.int", true},
                              Allowed{"aten.softplus.default", true},
                              Allowed{"aten.split.Tensor"},
                              Allowed{"aten.sqrt.default"},
                              Allowed{"aten.squeeze.dim"},
                              Allowed{"aten.stack.default"},
                              Allowed{"aten.sub.Tensor"},
                              Allowed{"aten.sum.dim_IntList"},
                              Allowed{"aten.swapaxes.default"},
                              Allowed{"aten.tanh.default", true},
                              Allowed{"aten.to.dtype"},
                              Allowed{"aten.transpose.int"},
                              Allowed{"aten.unbind.int"},
                              Allowed{"aten.unflatten.int"},
                              Allowed{"aten.unsqueeze.default"},
                              Allowed{"aten.view.default"},
                              Allowed{"aten.zero.default"},
                              Allowed{"aten.zero_.default"}};
static_assert(std::ranges::is_sorted(kAllowed, {}, &Allowed::op));

const Allowed* find(std::string_view op) {
  const auto* const found = std::ranges::lower_bound(kAllowed, op, {}, &Allowed::op);
  return found == kAllowed.end() || found->op != op ? nullptr : found;
}

}  // namespace

bool is_allowed(std::string_view op) {
  return find(op) != nullptr;
}

bool wants_one_thread(std::string_view op) {
  const Allowed* const found = find(op);
  return found != nullptr && found->one_thread;
}

std::vector<std::string_view> allowed_operators() {
  std::vector<std::string_view> names;
  for (const Allowed& each : kAllowed) names.push_back(each.op);
  return names;
}

}  // namespace polyhead::model
