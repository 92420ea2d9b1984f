#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <hdf5.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "cache.hpp"
#include "check.hpp"
#include "polyhead/base/file_descriptor.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/h5/h5.hpp"
#include "types.hpp"

namespace polyhead::h5 {
namespace {

using detail::checked;
constexpr hsize_t kAlignment = 4096;
constexpr std::size_t kNamesInMessage = 20;

Handle access_properties(const std::string& where, bool locking) {
  Handle properties(
      checked(ExitCode::internal, where, "set file properties", [] { return H5Pcreate(H5P_FILE_ACCESS); }));
  checked(ExitCode::internal, where, "set file properties",
          [&] { return H5Pset_file_locking(properties.get(), locking, true); });
  return properties;
}

/// Whether the file system has locks. HDF5 itself does without them only where the call is unknown (ENOSYS),
/// but not on NFS without lockd (ENOLCK) or Lustre (EOPNOTSUPP).
bool has_locks(const FileDescriptor& file) {
  return ::flock(file.get(), LOCK_SH | LOCK_NB) == 0 || errno == EWOULDBLOCK || errno == EACCES;
}

/// Distinguishes errors that HDF5 reports as one: missing, forbidden, not a file, a failing disk. A FIFO must
/// not block. Returns the open file.
FileDescriptor open_readable(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    const bool not_there = errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == EPERM ||
                           errno == ELOOP || errno == ENXIO || errno == ENAMETOOLONG;
    throw Error(
        not_there ? ExitCode::no_input : ExitCode::io_error,
        fmt::format("{}: cannot be opened: {}", path.string(), std::generic_category().message(errno)));
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw Error(ExitCode::no_input,
                fmt::format("{}: is not a regular file; an HDF5 file is expected", path.string()));
  }
  return file;
}

herr_t collect_name(hid_t /*group*/, const char* name, const H5L_info_t* /*info*/, void* to) noexcept {
  try {
    static_cast<std::vector<std::string>*>(to)->emplace_back(name);
  } catch (const std::exception&) {
    return -1;  // an exception must not travel through C
  }
  return 0;
}

std::string listed(std::vector<std::string> names) {
  if (names.empty()) return "nothing";
  const std::size_t all = names.size();
  if (all > kNamesInMessage) {
    names.resize(kNamesInMessage);
    names.push_back(fmt::format("... ({} in all)", all));
  }
  return join(names);
}

}  // namespace

void HandleTraits::close(type handle) noexcept {
  detail::silence();
  H5Idec_ref(handle);
}

File::File(Handle handle, std::filesystem::path path) : handle_(std::move(handle)), path_(std::move(path)) {}

File File::open(const std::filesystem::path& path) {
  const bool locking = has_locks(open_readable(path));
  const std::string where = path.string();
  detail::silence();
  if (H5Fis_hdf5(where.c_str()) == 0) {
    throw Error(ExitCode::bad_data, fmt::format("{}: is not an HDF5 file", where));
  }
  const Handle properties = access_properties(where, locking);
  Handle file(checked(ExitCode::bad_data, where, "be opened as HDF5",
                      [&] { return H5Fopen(where.c_str(), H5F_ACC_RDONLY, properties.get()); }));
  return {std::move(file), path};
}

File File::create(const std::filesystem::path& path) {
  const std::string where = path.string();
  const Handle properties = access_properties(where, false);  // no other process knows the file yet
  checked(ExitCode::internal, where, "set file properties",
          [&] { return H5Pset_alignment(properties.get(), 1, kAlignment); });
  // Closing the file closes all that is still open in it, so that HDF5 keeps no unwritten data.
  checked(ExitCode::internal, where, "set file properties",
          [&] { return H5Pset_fclose_degree(properties.get(), H5F_CLOSE_STRONG); });
  // Without this, small writes wait in a buffer until the dataset is closed, where their failure is not
  // reported.
  checked(ExitCode::internal, where, "set file properties",
          [&] { return H5Pset_sieve_buf_size(properties.get(), 0); });
  Handle file(checked(ExitCode::cant_create, where, "be created",
                      [&] { return H5Fcreate(where.c_str(), H5F_ACC_EXCL, H5P_DEFAULT, properties.get()); }));
  return {std::move(file), path};
}

bool File::has(const std::string& name) const {
  detail::silence();
  if (name == "/") return true;
  for (std::size_t slash = name.find('/', 1); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    if (H5Oexists_by_name(handle_.get(), name.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) return false;
  }
  return H5Oexists_by_name(handle_.get(), name.c_str(), H5P_DEFAULT) > 0;
}

std::vector<std::string> File::list(const std::string& group) const {
  std::vector<std::string> names;
  hsize_t position = 0;
  checked(ExitCode::bad_data, path_.string(), fmt::format("list the group '{}'", group), [&] {
    return H5Literate_by_name(handle_.get(), group.c_str(), H5_INDEX_NAME, H5_ITER_NATIVE, &position,
                              collect_name, &names, H5P_DEFAULT);
  });
  return names;
}

Dataset File::dataset(const std::string& name) const {
  const std::string full = name.starts_with('/') ? name : "/" + name;
  if (!has(full)) {
    const std::size_t slash = full.rfind('/');
    const std::string group = slash > 0 && has(full.substr(0, slash)) ? full.substr(0, slash) : "/";
    throw Error(ExitCode::bad_data, fmt::format("{}: has no dataset '{}'; '{}' holds: {}", path_.string(),
                                                name, group, listed(list(group))));
  }
  const std::string where = path_.string() + ":" + full;
  Handle handle(checked(ExitCode::bad_data, where, "be opened as a dataset",
                        [&] { return H5Dopen2(handle_.get(), full.c_str(), H5P_DEFAULT); }));
  return {detail::with_chunk_cache(std::move(handle), handle_.get(), full, where), where};
}

Dataset File::create_dataset(const std::string& name, Type type, const std::vector<std::int64_t>& shape) {
  const std::string where = path_.string() + ":" + name;
  const auto call = [&](auto&& make) { return checked(ExitCode::cant_create, where, "be created", make); };
  const Handle links(call([] { return H5Pcreate(H5P_LINK_CREATE); }));
  call([&] { return H5Pset_create_intermediate_group(links.get(), 1); });
  const Handle properties(call([] { return H5Pcreate(H5P_DATASET_CREATE); }));
  call([&] { return H5Pset_layout(properties.get(), H5D_CONTIGUOUS); });
  call([&] { return H5Pset_alloc_time(properties.get(), H5D_ALLOC_TIME_EARLY); });
  call([&] { return H5Pset_fill_time(properties.get(), H5D_FILL_TIME_NEVER); });
  const std::vector<hsize_t> dimensions(shape.begin(), shape.end());
  const Handle space(call(
      [&] { return H5Screate_simple(static_cast<int>(dimensions.size()), dimensions.data(), nullptr); }));
  Handle dataset(call([&] {
    return H5Dcreate2(handle_.get(), name.c_str(), detail::stored_type(type), space.get(), links.get(),
                      properties.get(), H5P_DEFAULT);
  }));
  return {std::move(dataset), where};
}

void File::close() {
  checked(ExitCode::io_error, path_.string(), "be written out",
          [&] { return H5Fflush(handle_.get(), H5F_SCOPE_GLOBAL); });
  // Released first: where HDF5 failed to close a file, closing it again crashes.
  checked(ExitCode::io_error, path_.string(), "be closed", [&] { return H5Fclose(handle_.release()); });
}

}  // namespace polyhead::h5
