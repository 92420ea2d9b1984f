#include "nccl_id.hpp"

#include <span>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/comm/agreement.hpp"

namespace polyhead::comm {

ncclUniqueId share_id(Collectives& bootstrap) {
  ncclUniqueId id{};
  agree(bootstrap, [&] {
    if (bootstrap.rank() != 0) return;
    const ncclResult_t result = ncclGetUniqueId(&id);
    if (result == ncclSuccess) return;
    throw Error(ExitCode::unavailable, fmt::format("ncclGetUniqueId: {}: {}", ncclGetErrorString(result),
                                                   ncclGetLastError(nullptr)));
  });
  bootstrap.broadcast(std::as_writable_bytes(std::span(&id, 1)), 0);
  return id;
}

}  // namespace polyhead::comm
