#pragma once

#include <span>

#include "match.hpp"
#include "polyhead/model/head_spec.hpp"
#include "polyhead/model/layout.hpp"
#include "polyhead/resnet/spec.hpp"

namespace polyhead::model {

/// Gives the places of the parameters in the order of the layout. All memory is reserved at once, so the
/// places never move, but only filled parts are touched.
class Packer {
 public:
  /// Throws Error(bad_data) when the machine does not have the memory. Both arguments must outlive the
  /// packer.
  Packer(const Layout& layout, AlignedVector<float>& values);
  std::span<float> next();

 private:
  const Layout& layout_;
  AlignedVector<float>& values_;
  std::size_t next_ = 0;
};

/// Packs a convolution with the batch norm after it. `epsilon`: the eps of batch norms.
void pack_conv(const Match& match, const resnet::ConvSpec& conv, double epsilon, Packer& packer);

/// Packs the parameters of a head's step, if it has any. Zeros and ones replace the missing bias of a linear
/// layer, or weight and bias of a layer norm.
void pack_step(const Match& match, const HeadStep& step, double epsilon, Packer& packer);

}  // namespace polyhead::model
