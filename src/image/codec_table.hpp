#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "image/codec.hpp"

namespace polyhead::image {

/// The formats that can be decoded, in the order in which messages name them.
const std::vector<Codec>& all_codecs();
/// The formats that jobs read: those of `all_codecs` that are in use.
const std::vector<Codec>& codecs_in_use();
/// The codec of a file that begins with `start`; null where there is none.
const Codec* find_codec(const std::vector<Codec>& codecs, std::span<const std::byte> start);

}  // namespace polyhead::image
