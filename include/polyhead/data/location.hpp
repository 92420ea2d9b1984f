#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "polyhead/base/wire.hpp"

namespace polyhead::data {

/// Where one sample's bytes are: a file, or a part of one. Rank 0 alone has the list of samples; the
/// locations travel with the leases, so that the other ranks need neither the list nor a look at folders.
struct Location {
  std::string path;          ///< absolute, as the file system has it: any bytes but NUL
  std::uint64_t offset = 0;  ///< of the sample's first byte
  std::uint64_t size = 0;    ///< bytes; 0: the whole file at offset 0, nothing at any other offset
  friend bool operator==(const Location&, const Location&) = default;
};

/// For a message between ranks.
void put_locations(WireWriter& writer, std::span<const Location> locations);
/// Throws Error(internal) for what `put_locations` did not write.
std::vector<Location> get_locations(WireReader& reader);

}  // namespace polyhead::data
