#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>
#include <mpi.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/unique_handle.hpp"
#include "wait.hpp"

/// One MPI call, one check.
namespace polyhead::comm {

inline void check(int result, std::string_view call) {
  if (result == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(result, text.data(), &length);
  throw Error(ExitCode::unavailable,
              fmt::format("{}: {}", call, std::string_view(text.data(), static_cast<std::size_t>(length))));
}

struct CommunicatorTraits {
  using type = MPI_Comm;
  static type invalid() { return MPI_COMM_NULL; }
  static void close(type communicator) noexcept { MPI_Comm_free(&communicator); }
};
using Communicator = UniqueHandle<CommunicatorTraits>;

struct DatatypeTraits {
  using type = MPI_Datatype;
  static type invalid() { return MPI_DATATYPE_NULL; }
  static void close(type datatype) noexcept { MPI_Type_free(&datatype); }
};
using Datatype = UniqueHandle<DatatypeTraits>;

[[noreturn]] inline void no_answer(std::string_view call, std::chrono::milliseconds timeout) {
  throw TimeoutError(ExitCode::unavailable, fmt::format("{}: other ranks did not answer within {} s", call,
                                                        std::chrono::duration<double>(timeout).count()));
}

/// Waits without spinning. After a time-out the request stays open: the caller ends the job, and the buffers
/// are never freed.
inline void complete(MPI_Request request, std::string_view call, std::chrono::milliseconds timeout) {
  const bool done = wait_until(
      [&] {
        int flag = 0;
        check(MPI_Test(&request, &flag, MPI_STATUS_IGNORE), call);
        return flag != 0;
      },
      timeout);
  if (!done) no_answer(call, timeout);
}

}  // namespace polyhead::comm
