#include "check.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <hdf5.h>

#include "polyhead/base/text.hpp"

namespace polyhead::h5::detail {
namespace {

/// At exit HDF5 would close what it could not close before, after a write that failed, and crash. All else is
/// closed by its owner. The call counts only before the library's first use.
[[maybe_unused]] const herr_t kNothingAtExit = H5dont_atexit();

constexpr std::size_t kReasons = 4;  // the innermost lines of a stack say it; the outer ones repeat it

/// What HDF5's error stack says.
struct Why {
  std::vector<std::string> reasons;
  bool system = false;  ///< a call of the system has failed
};

/// Of what HDF5 says of a failed call of the system - time, pointers, sizes - only the system's reason.
std::optional<std::string> reason_of_system(const std::string& description) {
  constexpr std::string_view kBefore = "error message = '";
  const std::size_t at = description.find(kBefore);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t from = at + kBefore.size();
  return description.substr(from, description.find('\'', from) - from);
}

herr_t collect(unsigned /*depth*/, const H5E_error2_t* entry, void* to) noexcept {
  auto& [reasons, system] = *static_cast<Why*>(to);
  if (entry->desc == nullptr || reasons.size() >= kReasons) return 0;
  try {
    const std::optional<std::string> told = reason_of_system(entry->desc);
    system = system || told;
    const std::string reason = told.value_or(entry->desc);
    if (std::find(reasons.begin(), reasons.end(), reason) == reasons.end()) reasons.push_back(reason);
  } catch (const std::exception&) {
    return -1;  // an exception must not travel through C
  }
  return 0;
}

Why why() {
  Why found;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect, &found);
  return found;
}

}  // namespace

void silence() {
  thread_local const herr_t done = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  static_cast<void>(done);
}

/// A disk that fails is no damage to the file.
void fail(ExitCode code, std::string_view where, std::string_view action) {
  const Why found = why();
  if (found.system && code == ExitCode::bad_data) code = ExitCode::io_error;
  throw Error(code, fmt::format("{}: cannot {}: {}", where, action,
                                found.reasons.empty() ? "HDF5 gives no reason" : join(found.reasons, "; ")));
}

}  // namespace polyhead::h5::detail
