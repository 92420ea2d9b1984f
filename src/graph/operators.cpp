#include "operators.hpp"

#include <algorithm>
#include <array>

namespace polyhead::graph {
namespace {

/// https://docs.pytorch.org/docs/stable/tensor_view.html, and operators that return their input where nothing
/// is to be done.
constexpr std::array<std::string_view, 58> kViews{"T",
                                                  "_reshape_alias",
                                                  "_unsafe_view",
                                                  "adjoint",
                                                  "alias",
                                                  "as_strided",
                                                  "atleast_1d",
                                                  "atleast_2d",
                                                  "atleast_3d",
                                                  "broadcast_to",
                                                  "chunk",
                                                  "contiguous",
                                                  "detach",
                                                  "diagonal",
                                                  "dsplit",
                                                  "expand",
                                                  "expand_as",
                                                  "flatten",
                                                  "hsplit",
                                                  "imag",
                                                  "mT",
                                                  "matrix_H",
                                                  "moveaxis",
                                                  "movedim",
                                                  "narrow",
                                                  "numpy_T",
                                                  "permute",
                                                  "positive",
                                                  "ravel",
                                                  "real",
                                                  "reshape",
                                                  "reshape_as",
                                                  "resolve_conj",
                                                  "resolve_neg",
                                                  "select",
                                                  "slice",
                                                  "split",
                                                  "split_with_sizes",
                                                  "squeeze",
                                                  "swapaxes",
                                                  "swapdims",
                                                  "t",
                                                  "tensor_split",
                                                  "to",
                                                  "transpose",
                                                  "type_as",
                                                  "unbind",
                                                  "unflatten",
                                                  "unfold",
                                                  "unsafe_chunk",
                                                  "unsafe_split",
                                                  "unsafe_split_with_sizes",
                                                  "unsqueeze",
                                                  "view",
                                                  "view_as",
                                                  "view_as_complex",
                                                  "view_as_real",
                                                  "vsplit"};

constexpr std::array<std::string_view, 4> kNothing{"alias", "detach", "detach_", "lift_fresh"};
constexpr std::array<std::string_view, 6> kDropouts{"dropout",          "dropout_",      "feature_dropout",
                                                    "feature_dropout_", "alpha_dropout", "alpha_dropout_"};

constexpr std::array<std::string_view, 4> kChecks{"_assert_tensor_metadata", "_assert_scalar",
                                                  "_assert_async", "sym_constrain_range_for_size"};

bool is_one_of(std::string_view name, const auto& names) {
  return std::ranges::find(names, name) != names.end();
}

bool is_true(const Node& node, std::string_view argument) {
  const Argument* const found = find(node, argument);
  const bool* const truth = found == nullptr ? nullptr : std::get_if<bool>(found);
  return truth != nullptr && *truth;
}

/// An argument that may be left out.
struct Default {
  std::string_view op;  ///< its base name
  std::string_view argument;
  std::string_view value;  ///< as text_of writes it
};

/// Of https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/native_functions.yaml
constexpr std::array kDefaults{Default{"conv2d", "bias", "None"},
                               Default{"conv2d", "stride", "[1, 1]"},
                               Default{"conv2d", "padding", "[0, 0]"},
                               Default{"conv2d", "dilation", "[1, 1]"},
                               Default{"conv2d", "groups", "1"},
                               Default{"linear", "bias", "None"},
                               Default{"max_pool2d", "padding", "[0, 0]"},
                               Default{"max_pool2d", "dilation", "[1, 1]"},
                               Default{"max_pool2d", "ceil_mode", "False"},
                               Default{"avg_pool2d", "padding", "[0, 0]"},
                               Default{"avg_pool2d", "ceil_mode", "False"},
                               Default{"avg_pool2d", "count_include_pad", "True"},
                               Default{"avg_pool2d", "divisor_override", "None"},
                               Default{"flatten", "end_dim", "-1"},
                               Default{"add", "alpha", "1"},
                               Default{"sub", "alpha", "1"},
                               Default{"cat", "dim", "0"},
                               Default{"gelu", "approximate", "none"},
                               Default{"softmax", "dtype", "None"},
                               Default{"mean", "keepdim", "False"},
                               Default{"mean", "dtype", "None"},
                               Default{"slice", "step", "1"},
                               Default{"scaled_dot_product_attention", "attn_mask", "None"},
                               Default{"scaled_dot_product_attention", "dropout_p", "0"},
                               Default{"scaled_dot_product_attention", "is_causal", "False"},
                               Default{"scaled_dot_product_attention", "scale", "None"},
                               Default{"scaled_dot_product_attention", "enable_gqa", "False"}};

}  // namespace

std::string_view base_name(std::string_view op) {
  const std::size_t first = op.find('.');
  const std::size_t last = op.rfind('.');
  return first == last ? op : op.substr(first + 1, last - first - 1);
}

bool writes(const Node& node) {
  const std::string_view name = base_name(node.op);
  return (name.ends_with('_') && !name.ends_with("__")) || (name.starts_with("__i") && name.ends_with("__"));
}

std::string functional_name(const std::string& op) {
  if (base_name(op).ends_with("__")) return "";
  const std::size_t last = op.rfind('.');
  return op.substr(0, last - 1) + op.substr(last);
}

bool may_alias(const Node& node) {
  return is_one_of(base_name(node.op), kViews);
}

bool does_nothing(const Node& node) {
  const std::string_view name = base_name(node.op);
  return is_one_of(name, kNothing) || (is_one_of(name, kDropouts) && !is_true(node, "train"));
}

bool is_check(const Node& node) {
  const std::string_view name = base_name(node.op);
  return is_one_of(name, kChecks);
}

std::string unfit(const Node& node) {
  const std::string_view name = base_name(node.op);
  const bool trains = (is_one_of(name, kDropouts) && is_true(node, "train")) ||
                      (name.ends_with("batch_norm") && is_true(node, "training"));
  if (node.op.ends_with(".out") || (writes(node) && !first_input(node)))
    return "it writes into a tensor that is not its first argument, which is not read";
  return trains ? "the model was exported in train mode: call .eval() before torch.export" : "";
}

bool matters(const Node& node, std::string_view argument) {
  const std::string_view name = base_name(node.op);
  if (name == "batch_norm") return argument != "momentum" && argument != "cudnn_enabled";
  return name != "layer_norm" || argument != "cudnn_enable";
}

void drop_defaults(Node& node) {
  const std::string_view name = base_name(node.op);
  std::erase_if(node.arguments, [&](const auto& given) {
    return std::ranges::any_of(kDefaults, [&](const Default& known) {
      return known.op == name && known.argument == given.first && known.value == text_of(given.second);
    });
  });
}

std::optional<Value> first_input(const Node& node) {
  if (node.arguments.empty()) return std::nullopt;
  const auto* const value = std::get_if<Value>(&node.arguments.front().second);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

}  // namespace polyhead::graph
