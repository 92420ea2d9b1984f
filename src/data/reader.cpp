#include "polyhead/data/reader.hpp"

#include "polyhead/base/error.hpp"

namespace polyhead::data {

void SampleReader::read_bytes(std::int64_t /*first*/, std::span<const Location> /*locations*/,
                              std::span<std::uint8_t> /*pixels*/, std::span<Reason> /*reasons*/) {
  throw Error(ExitCode::internal, "data: this format has no bytes to give");
}

}  // namespace polyhead::data
