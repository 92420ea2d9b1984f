#include "polyhead/comm/collectives.hpp"

namespace polyhead::comm {

void broadcast_any(Collectives& world, std::vector<std::byte>& bytes) {
  std::size_t size = bytes.size();
  world.broadcast(std::as_writable_bytes(std::span(&size, 1)), 0);
  bytes.resize(size);
  world.broadcast(bytes, 0);
}

}  // namespace polyhead::comm
