#include "resnet.hpp"

#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>

namespace polyhead::model {
namespace {

Conv take_conv(const resnet::ConvSpec& spec, TensorSource& source, const ImageBatchShape& input) {
  at::Tensor weight = source.next();
  at::Tensor bias = source.next();
  return {spec, std::move(weight), std::move(bias), input};
}

/// Shape after the 3x3 max-pool of stride 2 behind the stem.
ImageBatchShape pooled(const ImageBatchShape& shape) {
  return {shape[0], shape[1], (shape[2] - 1) / 2 + 1, (shape[3] - 1) / 2 + 1};
}

}  // namespace

/// The sum may overwrite the input, which is no longer needed then.
at::Tensor ResNet::Block::operator()(const at::Tensor& x) const {
  at::Tensor out = convs.front().relu(x);
  for (std::size_t i = 1; i + 1 < convs.size(); ++i) out = convs[i].relu(out);
  return convs.back().add_relu(out, downsample.empty() ? x : downsample.front()(x));
}

ResNet::ResNet(const resnet::Spec& spec, TensorSource& source, const ImageBatchShape& input)
    : stem_(take_conv(spec.stem, source, input)) {
  ImageBatchShape shape = pooled(stem_.output());
  for (const resnet::BlockSpec& block_spec : spec.blocks) {
    Block block;
    ImageBatchShape inner = shape;
    for (const resnet::ConvSpec& conv : block_spec.convs) {
      block.convs.push_back(take_conv(conv, source, inner));
      inner = block.convs.back().output();
    }
    if (block_spec.downsample) block.downsample.push_back(take_conv(*block_spec.downsample, source, shape));
    blocks_.push_back(std::move(block));
    shape = inner;
  }
}

at::Tensor ResNet::features(at::Tensor pixels) {
  at::Tensor x = pixels.is_cpu() ? pixels.contiguous(at::MemoryFormat::ChannelsLast) : pixels;
  pixels.reset();
  x = at::max_pool2d(stem_.relu(x), {3, 3}, {2, 2}, {1, 1});
  for (const Block& block : blocks_) x = block(x);
  return x.mean({2, 3});
}

std::unique_ptr<Backbone> make_torch_backbone(const resnet::Spec& spec, TensorSource& source,
                                              const ImageBatchShape& input) {
  return std::make_unique<ResNet>(spec, source, input);
}

}  // namespace polyhead::model
