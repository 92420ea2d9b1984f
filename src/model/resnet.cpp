#include "resnet.hpp"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/relu.h>

namespace polyhead::model {

at::Tensor ResNet::Conv::operator()(const at::Tensor& x) const {
  return at::conv2d(x, weight, bias, {stride, stride}, {padding, padding});
}

/// The ReLUs and the sum go into the convolutions' outputs; each is given up as soon as it is used.
at::Tensor ResNet::Block::operator()(const at::Tensor& x) const {
  at::Tensor out = convs.front()(x);
  for (std::size_t i = 1; i < convs.size(); ++i) out = convs[i](at::relu_(out));
  out.add_(downsample.empty() ? x : downsample.front()(x));
  return at::relu_(out);
}

ResNet::Conv ResNet::make_conv(const ConvSpec& spec, TensorSource& source) {
  Conv conv;
  conv.weight = source.next();
  conv.bias = source.next();
  conv.stride = spec.stride;
  conv.padding = spec.kernel / 2;
  return conv;
}

ResNet::ResNet(const ResNetSpec& spec, TensorSource& source) : stem_(make_conv(spec.stem, source)) {
  for (const BlockSpec& block_spec : spec.blocks) {
    Block block;
    for (const ConvSpec& conv : block_spec.convs) block.convs.push_back(make_conv(conv, source));
    if (block_spec.downsample) block.downsample.push_back(make_conv(*block_spec.downsample, source));
    blocks_.push_back(std::move(block));
  }
}

at::Tensor ResNet::features(at::Tensor pixels) const {
  at::Tensor x = stem_(pixels);
  pixels.reset();
  x = at::max_pool2d(at::relu_(x), {3, 3}, {2, 2}, {1, 1});
  for (const Block& block : blocks_) x = block(x);
  return x.mean({2, 3});
}

}  // namespace polyhead::model
