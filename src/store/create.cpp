#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "disk_space.hpp"
#include "format.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/store/existing.hpp"
#include "polyhead/store/writer.hpp"
#include "posix_file.hpp"
#include "publish.hpp"
#include "seal.hpp"
#include "stranger.hpp"
#include "structure.hpp"

namespace polyhead::store {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kFillBytes = std::size_t{1} << 20U;

[[noreturn]] void fail(const fs::path& path, const std::string& reason) {
  throw Error(ExitCode::cant_create, fmt::format("{}: cannot be created: {}", path.string(), reason));
}

fs::file_status status_of(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(target_of(path), error);
  if (status.type() == fs::file_type::none) fail(path, error.message());
  return status;
}

void check_to_resume(const fs::path& path) {
  const fs::file_status status = status_of(path);
  const auto cannot = [&](const std::string& reason) {
    throw Error(ExitCode::cant_create, fmt::format("{}: cannot be resumed: {}", path.string(), reason));
  };
  if (!fs::exists(status)) {
    throw Error(ExitCode::no_input,
                fmt::format("{}: there is no result to go on with. Start the job without --resume, or with "
                            "--resume=auto, which starts it where there is none",
                            path.string()));
  }
  if (!fs::is_regular_file(status)) cannot("it is not a file");
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) != 0) {
    cannot(fmt::format("it cannot be written: {}", std::generic_category().message(errno)));
  }
}

/// "runs/out.h5", "runs/out.h5 (a link to /data/out.h5)"
std::string shown(const fs::path& path) {
  const fs::path target = target_of(path);
  return target == path ? path.string() : fmt::format("{} (a link to {})", path.string(), target.string());
}

/// Keeps a wrong name from replacing foreign files, such as data or weights.
[[noreturn]] void fail_for_stranger(const fs::path& path) {
  throw Error(ExitCode::cant_create,
              fmt::format("{}: is {} and no result of polyhead, so no run replaces it, --overwrite or not. "
                          "Choose another output.path, or remove it yourself if nobody needs it",
                          shown(path), describe_stranger(path)));
}

void check_existing(const fs::path& path, Existing existing) {
  const Occupant occupant = occupant_of(path);
  if (occupant == Occupant::stranger) fail_for_stranger(path);
  if (occupant == Occupant::nothing || existing == Existing::overwrite) return;
  throw Error(ExitCode::cant_create,
              fmt::format("{}: exists already{}", shown(path),
                          occupant == Occupant::empty
                              ? ", and is empty. Give --overwrite to replace it, or another output.path"
                              : ". Give --resume to go on with it, --overwrite to replace it, or another "
                                "output.path"));
}

/// The folder itself, or its nearest ancestor that exists.
fs::path existing_folder(const fs::path& path) {
  fs::path folder = fs::absolute(path).parent_path();
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_relative_path()) {
    if (error) fail(path, fmt::format("{}: {}", folder.string(), error.message()));
    folder = folder.parent_path();
  }
  return folder;
}

void check_layout(const Layout& layout) {
  const bool sound =
      layout.samples >= 0 && layout.classes >= 0 && layout.batch > 0 &&
      layout.head_weights.size() == layout.heads.size() &&
      (layout.class_names.empty() || layout.class_names.size() == static_cast<std::size_t>(layout.classes));
  if (!sound) throw Error(ExitCode::internal, "store: the layout of the result contradicts itself");
}

/// Least bytes of the file; names, ids and HDF5's own structures come on top.
std::uint64_t least_bytes(const Layout& layout) {
  std::int64_t bytes = format::provenance_capacity() + format::summary_capacity(layout) +
                       format::certificate_capacity() + layout.batches();
  for (const format::Column& column : format::columns(layout)) bytes += column.row_bytes() * layout.samples;
  return static_cast<std::uint64_t>(bytes);
}

/// Checks the disk's room before anything is written: HDF5 would fill the disk without naming what it needs.
void check_room(const fs::path& path, const Layout& layout) {
  const std::optional<std::uint64_t> free = free_bytes(path);
  const std::uint64_t needed = least_bytes(layout);
  if (!free || needed <= *free) return;
  fail(path, fmt::format("it needs {}, and {} are free on this disk. Make room there, or choose another "
                         "output.path",
                         human_bytes(needed), human_bytes(*free)));
}

void fill(File& file, std::uint64_t offset, std::uint64_t bytes, std::byte value) {
  const std::vector<std::byte> some(std::min<std::uint64_t>(bytes, kFillBytes), value);
  for (std::uint64_t done = 0; done < bytes; done += some.size()) {
    file.write(offset + done, std::span(some).first(std::min<std::uint64_t>(some.size(), bytes - done)));
  }
}

/// Takes the space, then gives each column its pending value. Zeros are already there: the file system
/// provides them.
void make_pending(const fs::path& path, const Layout& layout, const Offsets& offsets) {
  PosixFile file(path);
  file.reserve();
  for (const RowColumn& column : kRowColumns) {
    if (column.pending == std::byte{0}) continue;
    const std::int64_t bytes = layout.samples * width_of(layout, column) * value_bytes(column);
    fill(file, offsets.of(column.name), static_cast<std::uint64_t>(bytes), column.pending);
  }
  file.sync_all();
}

}  // namespace

void check_output(const fs::path& path, Existing existing) {
  if (!path.has_filename() || path.filename() == "." || path.filename() == "..")
    fail(path, "it names no file");
  if (goes_on(path, existing)) return check_to_resume(path);
  check_existing(path, existing);
  const fs::path folder = existing_folder(target_of(path));
  std::error_code error;
  if (!fs::is_directory(folder, error)) fail(path, fmt::format("{} is not a folder", folder.string()));
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    fail(path, fmt::format("the folder {} is not writable: {}", folder.string(),
                           std::generic_category().message(errno)));
  }
}

bool goes_on(const fs::path& path, Existing existing) {
  if (existing == Existing::resume_if_there) return fs::exists(status_of(path));
  return existing == Existing::resume;
}

Offsets create(const fs::path& path, const Layout& layout, const SampleSource& samples, const Header& header,
               Existing existing) {
  check_layout(layout);
  check_output(path, existing);
  const fs::path target = target_of(path);
  make_folders(target.parent_path());
  check_room(target, layout);
  TemporaryFile temporary(target);
  try {
    const Structure made = write_structure(temporary.path(), layout, samples, header);
    seal(temporary.path(), made.open);
    make_pending(temporary.path(), layout, made.offsets);
    if (existing == Existing::overwrite) check_existing(path, existing);  // again: writing took some time
    temporary.publish(existing == Existing::overwrite);
    return made.offsets;
  } catch (const Error& error) {
    if (error.code() != ExitCode::io_error) throw;
    fail(path, error.what());  // no row is lost yet: only the file's creation failed
  }
}

}  // namespace polyhead::store
