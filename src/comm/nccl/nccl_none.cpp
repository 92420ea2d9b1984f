#include "polyhead/base/error.hpp"
#include "polyhead/comm/device_broadcast.hpp"
#include "polyhead/comm/nccl.hpp"

namespace polyhead::comm {

std::string why_no_nccl() {
  return "polyhead was built without NCCL";
}

std::string nccl_version() {
  return "";
}

std::unique_ptr<Collectives> make_nccl(Collectives& /*bootstrap*/, int /*device*/,
                                       std::chrono::milliseconds /*timeout*/) {
  throw Error(ExitCode::config, "comm.backend nccl cannot be used: " + why_no_nccl());
}

std::unique_ptr<DeviceBroadcast> make_device_broadcast(Collectives& /*bootstrap*/, int /*device*/,
                                                       std::chrono::milliseconds /*timeout*/) {
  throw Error(ExitCode::config, "weights cannot travel over NCCL: " + why_no_nccl());
}

}  // namespace polyhead::comm
