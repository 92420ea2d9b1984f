#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <hdf5.h>

#include "check.hpp"
#include "polyhead/h5/h5.hpp"
#include "types.hpp"

namespace polyhead::h5 {
namespace {

using detail::checked;
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

/// Dimensions, refused when their product with an element's size could overflow.
std::vector<std::int64_t> shape_of(hid_t dataset, const std::string& where) {
  const Handle space(
      checked(ExitCode::bad_data, where, "read its shape", [&] { return H5Dget_space(dataset); }));
  const int rank = checked(ExitCode::bad_data, where, "read its shape",
                           [&] { return H5Sget_simple_extent_ndims(space.get()); });
  std::array<hsize_t, H5S_MAX_RANK> dimensions{};
  if (rank > H5S_MAX_RANK) throw Error(ExitCode::bad_data, fmt::format("{}: has {} dimensions", where, rank));
  checked(ExitCode::bad_data, where, "read its shape",
          [&] { return H5Sget_simple_extent_dims(space.get(), dimensions.data(), nullptr); });
  std::vector<std::int64_t> shape;
  std::int64_t room = kMax / 8;  // elements, of at most 8 bytes
  for (const hsize_t size : std::span(dimensions).first(static_cast<std::size_t>(rank))) {
    if (size > static_cast<hsize_t>(room)) {
      throw Error(ExitCode::bad_data,
                  fmt::format("{}: claims dimensions whose product is beyond 2^60", where));
    }
    if (size > 0) room /= static_cast<std::int64_t>(size);
    shape.push_back(static_cast<std::int64_t>(size));
  }
  return shape;
}

Type stored_type_of(hid_t dataset, const std::string& where) {
  const Handle type(
      checked(ExitCode::bad_data, where, "read its type", [&] { return H5Dget_type(dataset); }));
  return detail::type_from(type.get());
}

std::int64_t row_elements(const std::vector<std::int64_t>& shape) {
  std::int64_t product = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) product *= shape[i];
  return product;
}

/// Selection of a block of rows, as HDF5 sees it in the file and in memory.
struct Selection {
  Handle file;
  Handle memory;
};

Selection select_rows(hid_t dataset, const std::string& where, const std::vector<std::int64_t>& shape,
                      std::int64_t first, std::int64_t count) {
  std::vector<hsize_t> start(shape.size(), 0);
  std::vector<hsize_t> size(shape.begin(), shape.end());
  start[0] = static_cast<hsize_t>(first);
  size[0] = static_cast<hsize_t>(count);
  Handle file(checked(ExitCode::io_error, where, "select rows", [&] { return H5Dget_space(dataset); }));
  checked(ExitCode::io_error, where, "select rows", [&] {
    return H5Sselect_hyperslab(file.get(), H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr);
  });
  // The memory's shape has the file's rank: otherwise HDF5 is slow for chunked data.
  Handle memory(checked(ExitCode::io_error, where, "select rows", [&] {
    return H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr);
  }));
  return {std::move(file), std::move(memory)};
}

void check_range(const std::string& where, const std::vector<std::int64_t>& shape, std::int64_t first,
                 std::int64_t count, std::size_t element, std::size_t bytes) {
  const std::int64_t rows = shape.empty() ? 0 : shape[0];
  if (first < 0 || count < 0 || first > rows || count > rows - first) {
    throw Error(ExitCode::internal,
                fmt::format("{}: {} rows from row {} asked for, it has {}", where, count, first, rows));
  }
  const std::size_t expected = static_cast<std::size_t>(count * row_elements(shape)) * element;
  if (bytes != expected) {
    throw Error(ExitCode::internal,
                fmt::format("{}: {} rows are {} bytes, the buffer has {}", where, count, expected, bytes));
  }
}

}  // namespace

Dataset::Dataset(Handle handle, std::string where)
    : handle_(std::move(handle)),
      where_(std::move(where)),
      shape_(shape_of(handle_.get(), where_)),
      type_(stored_type_of(handle_.get(), where_)) {}

std::string Dataset::describe() const {
  return fmt::format("{} [{}]", name_of(type_), fmt::join(shape_, ", "));
}

std::optional<std::uint64_t> Dataset::offset() const {
  detail::silence();
  const haddr_t offset = H5Dget_offset(handle_.get());
  if (offset == HADDR_UNDEF) return std::nullopt;
  return offset;
}

std::optional<Dataset::Chunk> Dataset::chunk() const {
  const Handle properties(checked(ExitCode::bad_data, where_, "read its layout",
                                  [&] { return H5Dget_create_plist(handle_.get()); }));
  if (H5Pget_layout(properties.get()) != H5D_CHUNKED) return std::nullopt;
  std::array<hsize_t, H5S_MAX_RANK> sides{};
  const int rank = checked(ExitCode::bad_data, where_, "read its chunks",
                           [&] { return H5Pget_chunk(properties.get(), H5S_MAX_RANK, sides.data()); });
  Chunk chunk{static_cast<std::int64_t>(sides[0]), static_cast<std::int64_t>(size_of(type_))};
  // The library keeps chunks below 4 GiB.
  for (const hsize_t side : std::span(sides).first(static_cast<std::size_t>(rank))) {
    chunk.bytes *= static_cast<std::int64_t>(side);
  }
  return chunk;
}

std::optional<Dataset::Chunks> Dataset::chunks() const {
  const Handle properties(checked(ExitCode::bad_data, where_, "read its layout",
                                  [&] { return H5Dget_create_plist(handle_.get()); }));
  if (H5Pget_layout(properties.get()) != H5D_CHUNKED) return std::nullopt;
  std::array<hsize_t, H5S_MAX_RANK> sides{};
  checked(ExitCode::bad_data, where_, "read its chunks",
          [&] { return H5Pget_chunk(properties.get(), H5S_MAX_RANK, sides.data()); });
  const Handle space(
      checked(ExitCode::bad_data, where_, "read its shape", [&] { return H5Dget_space(handle_.get()); }));
  hsize_t written = 0;
  checked(ExitCode::bad_data, where_, "count its chunks",
          [&] { return H5Dget_num_chunks(handle_.get(), space.get(), &written); });
  Chunks chunks{static_cast<std::int64_t>(written), 1};
  for (std::size_t i = 0; i < shape_.size(); ++i) {
    const auto side = static_cast<std::int64_t>(sides.at(i));
    chunks.all *= (shape_[i] + side - 1) / side;
  }
  return chunks;
}

void Dataset::read_rows(std::int64_t first, std::int64_t count, Type as, std::span<std::byte> out) const {
  check_range(where_, shape_, first, count, size_of(as), out.size());
  if (out.empty()) return;
  const Selection rows = select_rows(handle_.get(), where_, shape_, first, count);
  checked(ExitCode::io_error, where_, fmt::format("read rows {} to {}", first, first + count - 1), [&] {
    return H5Dread(handle_.get(), detail::memory_type(as), rows.memory.get(), rows.file.get(), H5P_DEFAULT,
                   out.data());
  });
}

void Dataset::write_rows(std::int64_t first, std::int64_t count, Type as,
                         std::span<const std::byte> in) const {
  check_range(where_, shape_, first, count, size_of(as), in.size());
  if (in.empty()) return;
  const Selection rows = select_rows(handle_.get(), where_, shape_, first, count);
  checked(ExitCode::io_error, where_, fmt::format("write rows {} to {}", first, first + count - 1), [&] {
    return H5Dwrite(handle_.get(), detail::memory_type(as), rows.memory.get(), rows.file.get(), H5P_DEFAULT,
                    in.data());
  });
}

template <class T>
void Dataset::read_rows(std::int64_t first, std::int64_t count, std::span<T> out) const {
  read_rows(first, count, detail::type_of<T>(), std::as_writable_bytes(out));
}

template <class T>
void Dataset::write_rows(std::int64_t first, std::int64_t count, std::span<const T> in) const {
  write_rows(first, count, detail::type_of<T>(), std::as_bytes(in));
}

template void Dataset::read_rows(std::int64_t, std::int64_t, std::span<std::uint8_t>) const;
template void Dataset::read_rows(std::int64_t, std::int64_t, std::span<std::int8_t>) const;
template void Dataset::read_rows(std::int64_t, std::int64_t, std::span<std::uint16_t>) const;
template void Dataset::read_rows(std::int64_t, std::int64_t, std::span<std::int16_t>) const;
template void Dataset::read_rows(std::int64_t, std::int64_t, std::span<std::uint32_t>) const;
template void Dataset::read_rows(std::int64_t, std::int64_t, std::span<std::int32_t>) const;
template void Dataset::read_rows(std::int64_t, std::int64_t, std::span<std::uint64_t>) const;
template void Dataset::read_rows(std::int64_t, std::int64_t, std::span<std::int64_t>) const;
template void Dataset::read_rows(std::int64_t, std::int64_t, std::span<float>) const;
template void Dataset::read_rows(std::int64_t, std::int64_t, std::span<double>) const;
template void Dataset::write_rows(std::int64_t, std::int64_t, std::span<const std::uint8_t>) const;
template void Dataset::write_rows(std::int64_t, std::int64_t, std::span<const std::int8_t>) const;
template void Dataset::write_rows(std::int64_t, std::int64_t, std::span<const std::uint16_t>) const;
template void Dataset::write_rows(std::int64_t, std::int64_t, std::span<const std::int16_t>) const;
template void Dataset::write_rows(std::int64_t, std::int64_t, std::span<const std::uint32_t>) const;
template void Dataset::write_rows(std::int64_t, std::int64_t, std::span<const std::int32_t>) const;
template void Dataset::write_rows(std::int64_t, std::int64_t, std::span<const std::uint64_t>) const;
template void Dataset::write_rows(std::int64_t, std::int64_t, std::span<const std::int64_t>) const;
template void Dataset::write_rows(std::int64_t, std::int64_t, std::span<const float>) const;
template void Dataset::write_rows(std::int64_t, std::int64_t, std::span<const double>) const;

}  // namespace polyhead::h5
