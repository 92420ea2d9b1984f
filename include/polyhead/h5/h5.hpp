#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/base/unique_handle.hpp"

/// A thin layer over HDF5: one call, one check. Errors are `polyhead::Error` and name the file and the
/// dataset. Only this module sees hdf5.h. Debian's HDF5 serialises its calls, so any thread may use this
/// module.
namespace polyhead::h5 {

struct HandleTraits {
  using type = std::int64_t;  ///< hid_t
  static type invalid() { return -1; }
  static void close(type handle) noexcept;
};
using Handle = UniqueHandle<HandleTraits>;

/// Element types that polyhead reads or writes, all little-endian in files it writes.
enum class Type { u8, i8, u16, i16, i32, u32, i64, u64, f32, f64, other };

std::size_t size_of(Type type);
std::string_view name_of(Type type);

/// Bytes of unpacked chunks that an open dataset keeps, at most.
inline constexpr std::int64_t kMaxCache = std::int64_t{64} << 20U;
/// Bytes that the library takes for an open file and for converting values.
inline constexpr std::int64_t kBuffers = std::int64_t{4} << 20U;

/// An open dataset.
class Dataset {
 public:
  Dataset(Handle handle, std::string where);

  [[nodiscard]] const std::vector<std::int64_t>& shape() const { return shape_; }
  /// Type as stored; `other` for strings, compounds and the like.
  [[nodiscard]] Type type() const { return type_; }
  /// "file.h5:/images", for messages.
  [[nodiscard]] const std::string& where() const { return where_; }
  /// "uint8 [1000, 32, 32, 3]", for messages.
  [[nodiscard]] std::string describe() const;
  /// Byte offset in the file of a contiguous, allocated dataset; empty when it is chunked or not yet
  /// allocated.
  [[nodiscard]] std::optional<std::uint64_t> offset() const;

  /// Unit that the file packs; empty when the dataset is contiguous.
  struct Chunk {
    std::int64_t rows = 1;   ///< rows of the first dimension
    std::int64_t bytes = 0;  ///< unpacked
  };
  [[nodiscard]] std::optional<Chunk> chunk() const;
  /// Extent to which a chunked dataset is written: values of a chunk that was never written are the fill
  /// value.
  struct Chunks {
    std::int64_t written = 0;
    std::int64_t all = 0;
  };
  /// Numbers of written and of all chunks; nothing when the dataset is not chunked.
  [[nodiscard]] std::optional<Chunks> chunks() const;
  /// Checks everything beside the file that reading needs, since HDF5 itself returns fill values for missing
  /// parts. Each source of a virtual dataset must have the rows that are taken from it, and each external
  /// file the needed length. Filters must be available, and a dataset to which nothing was ever written is
  /// refused. Returns the other files. Throws Error (no_input, bad_data) that names the missing part and
  /// where it was looked for.
  [[nodiscard]] std::vector<std::filesystem::path> check_sources() const;
  /// Throws Error(bad_data) that names the missing filters, such as blosc or lzf, without which no row can be
  /// read here.
  void check_filters() const;

  /// Reads rows [first, first + count) of the first dimension, converted to `as`. `out` holds exactly these
  /// bytes. Throws Error(io_error) when the library cannot read, Error(internal) when the range does not fit.
  void read_rows(std::int64_t first, std::int64_t count, Type as, std::span<std::byte> out) const;
  template <class T>
  void read_rows(std::int64_t first, std::int64_t count, std::span<T> out) const;
  /// Writes rows in the same way; only before the file is closed for the run.
  void write_rows(std::int64_t first, std::int64_t count, Type as, std::span<const std::byte> in) const;
  template <class T>
  void write_rows(std::int64_t first, std::int64_t count, std::span<const T> in) const;

 private:
  Handle handle_;
  std::string where_;
  std::vector<std::int64_t> shape_;
  Type type_ = Type::other;
};

/// An open file.
class File {
 public:
  /// Opens a file for reading. Throws Error: no_input when it is missing or may not be read, bad_data when it
  /// is not HDF5.
  static File open(const std::filesystem::path& path);
  /// Creates a new file, alignment 4096, and fails if the path exists. Throws Error(cant_create).
  static File create(const std::filesystem::path& path);

  [[nodiscard]] bool has(const std::string& name) const;
  /// Names of the datasets and groups directly in `group`, in the file's order.
  [[nodiscard]] std::vector<std::string> list(const std::string& group = "/") const;
  /// Opens a dataset. Throws Error(bad_data) that lists the file's datasets when `name` is not there.
  [[nodiscard]] Dataset dataset(const std::string& name) const;

  /// Creates a contiguous dataset, allocated at once and never filled; parent groups are made as needed.
  [[nodiscard]] Dataset create_dataset(const std::string& name, Type type,
                                       const std::vector<std::int64_t>& shape);
  /// Writes a one-dimensional dataset of fixed-length UTF-8 strings, null-padded.
  void write_strings(const std::string& name, const std::vector<std::string>& values);
  [[nodiscard]] std::vector<std::string> read_strings(const std::string& name) const;
  /// Writes an attribute of the root group.
  void write_attribute(const std::string& name, std::int64_t value);
  void write_attribute(const std::string& name, const std::string& value);
  [[nodiscard]] std::optional<std::int64_t> read_integer_attribute(const std::string& name) const;
  [[nodiscard]] std::optional<std::string> read_text_attribute(const std::string& name) const;
  /// Flushes and closes. Throws errors that the destructor would have to ignore.
  void close();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  File(Handle handle, std::filesystem::path path);
  Handle handle_;
  std::filesystem::path path_;
};

}  // namespace polyhead::h5
