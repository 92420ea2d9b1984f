#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "polyhead/base/wire.hpp"

namespace polyhead::data {

/// Location of one sample's bytes: a file, or a part of one. Only rank 0 has the list of samples. The
/// locations travel with the leases, so that the other ranks need neither the list nor the folders' contents.
struct Location {
  std::string path;          ///< absolute, as the file system has it: any bytes but NUL
  std::uint64_t offset = 0;  ///< position of the sample's first byte
  std::uint64_t size = 0;    ///< bytes; 0: the whole file at offset 0, nothing at any other offset
  friend bool operator==(const Location&, const Location&) = default;
};

/// Writes locations for a message between ranks.
void put_locations(WireWriter& writer, std::span<const Location> locations);
/// Reads what `put_locations` wrote. Throws Error(internal) for anything else.
std::vector<Location> get_locations(WireReader& reader);

}  // namespace polyhead::data
