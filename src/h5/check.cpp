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

/// Keeps HDF5 from closing anything at exit: after a failed write it would close what it could not close
/// before, and crash. All else is closed by its owner. The call counts only before the library's first use.
[[maybe_unused]] const herr_t kNothingAtExit = H5dont_atexit();

constexpr std::size_t kReasons =
    4;  // number of innermost stack lines that are kept; the outer ones repeat them

/// Content of HDF5's error stack.
struct Why {
  std::vector<std::string> reasons;
  bool system = false;  ///< whether a system call has failed
};

/// System's reason in HDF5's text about a failed system call; its time, pointers and sizes are left out.
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

/// A failing disk is no damage to the file.
void fail(ExitCode code, std::string_view where, std::string_view action) {
  const Why found = why();
  if (found.system && code == ExitCode::bad_data) code = ExitCode::io_error;
  throw Error(code, fmt::format("{}: cannot {}: {}", where, action,
                                found.reasons.empty() ? "HDF5 gives no reason" : join(found.reasons, "; ")));
}

}  // namespace polyhead::h5::detail
