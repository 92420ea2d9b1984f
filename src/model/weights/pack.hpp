#pragma once

#include <span>

#include "match.hpp"
#include "polyhead/model/head_spec.hpp"
#include "polyhead/model/layout.hpp"
#include "polyhead/resnet/spec.hpp"

namespace polyhead::model {

/// Hands out the places of the parameters in the order of the layout. Memory is reserved at once, so that the
/// places stay where they are, but touched only as far as it is filled.
class Packer {
 public:
  /// Throws Error(bad_data) when the machine does not have the memory. Both outlive the packer.
  Packer(const Layout& layout, AlignedVector<float>& values);
  std::span<float> next();

 private:
  const Layout& layout_;
  AlignedVector<float>& values_;
  std::size_t next_ = 0;
};

/// Packs a convolution with the batch norm after it. `epsilon`: the eps of batch norms.
void pack_conv(const Match& match, const resnet::ConvSpec& conv, double epsilon, Packer& packer);

/// Packs what a step of a head computes with, if anything. Where a linear layer has no bias, or a layer norm
/// neither weight nor bias, zeros and ones take their place.
void pack_step(const Match& match, const HeadStep& step, double epsilon, Packer& packer);

}  // namespace polyhead::model
