#include "conv.hpp"

#include <optional>
#include <utility>
#include <vector>

#include <ATen/Context.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/relu.h>

namespace polyhead::model {
namespace {

using Stack = std::vector<c10::IValue>;
using Scalars = c10::List<std::optional<at::Scalar>>;

/// Calls an operation that LibTorch registers without a C++ function; `torch.compile` calls it for CPUs.
at::Tensor call(const char* name, const char* overload, Stack stack) {
  c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).callBoxed(stack);
  return stack.front().toTensor();
}

c10::IValue ints(std::int64_t value) {
  return std::vector<std::int64_t>{value, value};
}

ImageBatchShape output_of(const kernels::ConvShape& shape, const ImageBatchShape& input) {
  const kernels::ImageDims out =
      shape.output({shape.in, static_cast<int>(input[2]), static_cast<int>(input[3])});
  return {input[0], out.channels, out.height, out.width};
}

}  // namespace

Conv::Conv(const resnet::ConvSpec& spec, at::Tensor weight, at::Tensor bias, const ImageBatchShape& input)
    : weight_(std::move(weight)),
      bias_(std::move(bias)),
      stride_(spec.shape.stride),
      padding_(spec.shape.kernel / 2),
      output_(output_of(spec.shape, input)),
      fused_(weight_.is_cpu() && at::globalContext().hasMKLDNN()) {
  if (!fused_) return;
  weight_ = call("mkldnn::_reorder_convolution_weight", "",
                 {weight_.contiguous(at::MemoryFormat::ChannelsLast), ints(padding_), ints(stride_), ints(1),
                  1, std::vector<std::int64_t>(input.begin(), input.end())});
}

at::Tensor Conv::plain(const at::Tensor& x) const {
  return at::conv2d(x, weight_, bias_, {stride_, stride_}, {padding_, padding_});
}

at::Tensor Conv::operator()(const at::Tensor& x) const {
  if (!fused_) return plain(x);
  return call("mkldnn::_convolution_pointwise", "",
              {x, weight_, bias_, ints(padding_), ints(stride_), ints(1), 1, "none", Scalars(), ""});
}

at::Tensor Conv::relu(const at::Tensor& x) const {
  at::Tensor out = (*this)(x);
  return at::relu_(out);
}

at::Tensor Conv::add_relu(const at::Tensor& x, at::Tensor residual) const {
  at::Tensor out;
  if (fused_) {
    out = call("mkldnn::_convolution_pointwise_", "binary",
               {std::move(residual), x, weight_, bias_, ints(padding_), ints(stride_), ints(1), 1, "add",
                at::Scalar(1.0), c10::IValue(), Scalars(), ""});
  } else {
    out = plain(x).add_(residual);
  }
  return at::relu_(out);
}

}  // namespace polyhead::model
