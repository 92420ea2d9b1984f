#include "nccl_link.hpp"

#include <exception>
#include <utility>

#include <fmt/format.h>

#include "comm/wait.hpp"
#include "polyhead/base/error.hpp"

namespace polyhead::comm {
namespace {

ncclConfig_t without_blocking() {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  return config;
}

}  // namespace

NcclLink::NcclLink(const ncclUniqueId& id, int rank, int size, std::chrono::milliseconds timeout)
    : timeout_(timeout), exceptions_at_start_(std::uncaught_exceptions()) {
  ncclConfig_t config = without_blocking();
  check(ncclCommInitRankConfig(&communicator_, size, id, rank, &config), "ncclCommInitRankConfig");
  settle("ncclCommInitRankConfig");
}

NcclLink::NcclLink(NcclLink& parent, int rank, bool joins)
    : timeout_(parent.timeout_), exceptions_at_start_(std::uncaught_exceptions()) {
  parent.require_whole();
  ncclConfig_t config = without_blocking();
  const int color = joins ? 0 : NCCL_SPLIT_NOCOLOR;
  try {
    parent.check(ncclCommSplit(parent.get(), color, rank, &communicator_, &config), "ncclCommSplit");
    parent.settle("ncclCommSplit");  // the new communicator exists only after that
  } catch (const Error&) {
    if (communicator_ != nullptr) ncclCommAbort(communicator_);
    throw;
  }
  if (communicator_ != nullptr) settle("ncclCommSplit");
}

NcclLink::~NcclLink() {
  if (communicator_ == nullptr) return;
  if (std::uncaught_exceptions() > exceptions_at_start_) {
    ncclCommAbort(communicator_);
  } else {
    finish();
  }
}

void NcclLink::group(std::string_view what, const std::function<ncclResult_t()>& calls) {
  require_whole();
  check(ncclGroupStart(), "ncclGroupStart");
  const ncclResult_t result = calls();
  const ncclResult_t end =
      ncclGroupEnd();  // in any case: a group belongs to the thread, not to the communicator
  check(result, what);
  check(end, "ncclGroupEnd");
  settle(what);  // not in its stream before: work that is given to the stream now could overtake it
}

void NcclLink::check(ncclResult_t result, std::string_view call) {
  if (failed(result)) fail(fmt::format("{}: {}", call, ncclGetErrorString(result)));
}

void NcclLink::wait(std::string_view what, const std::function<bool()>& done) {
  require_whole();
  bool ended = false;
  guard([&] {
    ended = wait_until(
        [&] {
          state(what);
          return done();
        },
        timeout_);
  });
  if (ended) return;
  timed_out_ = true;
  fail(fmt::format("{}: other ranks did not join within {} s", what,
                   std::chrono::duration<double>(timeout_).count()));
}

void NcclLink::guard(const std::function<void()>& step) {
  try {
    step();
  } catch (const Error& error) {
    if (communicator_ == nullptr) throw;  // has failed already
    fail(error.what());
  }
}

void NcclLink::require_whole() const {
  if (communicator_ == nullptr) throw_failure();
}

ncclResult_t NcclLink::state(std::string_view what) {
  ncclResult_t result = ncclSuccess;
  check(ncclCommGetAsyncError(communicator_, &result), "ncclCommGetAsyncError");
  check(result, what);
  return result;
}

void NcclLink::settle(std::string_view what) {
  wait(what, [&] { return state(what) == ncclSuccess; });
}

void NcclLink::finish() noexcept {
  try {
    check(ncclCommFinalize(communicator_), "ncclCommFinalize");
    settle("ncclCommFinalize");
    ncclCommDestroy(std::exchange(communicator_, nullptr));
  } catch (const Error&) {  // the communicator is aborted then
  }
}

void NcclLink::fail(const std::string& why) {
  ncclComm_t communicator = std::exchange(communicator_, nullptr);
  const char* detail = communicator != nullptr ? ncclGetLastError(communicator) : nullptr;
  failure_ = fmt::format("NCCL: {}{}{}", why, detail != nullptr && *detail != '\0' ? ": " : "",
                         detail != nullptr ? detail : "");
  if (communicator != nullptr) ncclCommAbort(communicator);
  throw_failure();
}

void NcclLink::throw_failure() const {
  if (timed_out_) throw TimeoutError(ExitCode::unavailable, failure_);
  throw Error(ExitCode::unavailable, failure_);
}

}  // namespace polyhead::comm
