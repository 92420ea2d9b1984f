#pragma once

#include <string_view>

#include "polyhead/base/error.hpp"

namespace polyhead::h5::detail {

/// Stops HDF5 from printing its error stack by itself: a setting of each thread.
void silence();

/// Throws "WHERE: cannot ACTION: text of HDF5's error stack". Where a system call has failed, bad_data
/// becomes io_error.
[[noreturn]] void fail(ExitCode code, std::string_view where, std::string_view action);

/// Makes one HDF5 call and returns its result; a negative one becomes an Error.
template <class Call>
auto checked(ExitCode code, std::string_view where, std::string_view action, Call&& call) {
  silence();
  const auto result = call();
  if (result < 0) fail(code, where, action);
  return result;
}

}  // namespace polyhead::h5::detail
