#include "polyhead/store/existing.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>

#include "format.hpp"
#include "polyhead/base/error.hpp"
#include "read_file.hpp"
#include "seal.hpp"
#include "stranger.hpp"

namespace polyhead::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHdf5 = "\x89HDF\r\n\x1a\n";
constexpr std::uint64_t kSearched = std::uint64_t{1} << 20U;  // the root's attributes are made first

/// Reads size and kind of the file itself, not of a link's target; false where nothing has the name.
bool look_at(const fs::path& target, struct stat& status) {
  if (::lstat(target.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  throw Error(ExitCode::cant_create, fmt::format("{}: cannot be created: {}", target.string(),
                                                 std::generic_category().message(errno)));
}

std::string head_of(const ReadFile& file) {
  std::string head(std::min(kSearched, file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(head)));
  return head;
}

bool is_result(const ReadFile& file, std::string_view head) {
  return has_seal(file) || (head.starts_with(kHdf5) && head.find(format::kName) != std::string_view::npos);
}

/// Lets the kernel follow the links: it detects circles, and links that other users have set.
void check_links(const fs::path& output) {
  struct stat status {};
  if (::stat(output.c_str(), &status) == 0 || errno == ENOENT || errno == ENOTDIR) return;
  throw Error(ExitCode::cant_create, fmt::format("{}: is a symbolic link that cannot be followed: {}",
                                                 output.string(), std::generic_category().message(errno)));
}

}  // namespace

fs::path target_of(const fs::path& output) {
  std::error_code error;
  if (!fs::is_symlink(output, error)) return output;
  check_links(output);
  fs::path target = output;
  while (fs::is_symlink(target, error)) target = target.parent_path() / fs::read_symlink(target, error);
  return target;
}

Occupant occupant_of(const fs::path& output) {
  const fs::path target = target_of(output);
  struct stat status {};
  if (!look_at(target, status)) return Occupant::nothing;
  if (!S_ISREG(status.st_mode)) return Occupant::stranger;
  if (status.st_size == 0) return Occupant::empty;
  const ReadFile file(target);
  return is_result(file, head_of(file)) ? Occupant::result : Occupant::stranger;
}

std::string describe_stranger(const fs::path& output) {
  const fs::path target = target_of(output);
  std::error_code error;
  if (fs::is_directory(target, error)) return "a folder";
  if (!fs::is_regular_file(target, error)) return "something that is not a file";
  const ReadFile file(target);
  if (file.size() == 0) return "a file that cannot be read";
  return head_of(file).starts_with(kHdf5) ? "an HDF5 file of another program" : "a file of another program";
}

std::string ways_on(const fs::path& output) {
  switch (occupant_of(output)) {
    case Occupant::result:
      return "--resume, --overwrite or another output.path";
    case Occupant::empty:
      return "--overwrite or another output.path";
    case Occupant::stranger:
      return "another output.path";
    case Occupant::nothing:
      break;
  }
  return "";
}

}  // namespace polyhead::store
