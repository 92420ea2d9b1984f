#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <hdf5.h>

#include "check.hpp"
#include "polyhead/h5/h5.hpp"

namespace polyhead::h5 {
namespace {

using detail::checked;
constexpr std::size_t kMaxBytes = std::size_t{1} << 30U;  // limit of the bytes of all strings of a dataset

/// String type of `length` bytes, or H5T_VARIABLE.
Handle string_type(const std::string& where, std::size_t length) {
  const auto call = [&](auto&& make) {
    return checked(ExitCode::internal, where, "make a string type", make);
  };
  Handle type(call([] { return H5Tcopy(H5T_C_S1); }));
  call([&] { return H5Tset_size(type.get(), length); });
  call([&] { return H5Tset_strpad(type.get(), H5T_STR_NULLPAD); });
  call([&] { return H5Tset_cset(type.get(), H5T_CSET_UTF8); });
  return type;
}

/// Object that strings are read from: a dataset or an attribute.
struct Source {
  hid_t object;
  bool attribute;
  std::string where;

  [[nodiscard]] hid_t type() const { return attribute ? H5Aget_type(object) : H5Dget_type(object); }
  [[nodiscard]] hid_t space() const { return attribute ? H5Aget_space(object) : H5Dget_space(object); }
  herr_t read(hid_t memory, void* to) const {
    return attribute ? H5Aread(object, memory, to)
                     : H5Dread(object, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
  }
};

std::string text_from(std::span<const char> field, H5T_str_t padding) {
  std::string_view text(field.data(), field.size());
  if (padding == H5T_STR_NULLTERM) text = text.substr(0, text.find('\0'));
  const std::string_view filler =
      padding == H5T_STR_SPACEPAD ? std::string_view(" ") : std::string_view("\0", 1);
  return std::string(text.substr(0, text.find_last_not_of(filler) + 1));
}

std::vector<std::string> read_fixed(const Source& source, hid_t type, std::size_t count) {
  const std::size_t length = H5Tget_size(type);
  if (length == 0 || count > kMaxBytes / length) {
    throw Error(ExitCode::bad_data,
                fmt::format("{}: claims {} strings of {} bytes; polyhead reads up to 1 GiB", source.where,
                            count, length));
  }
  std::vector<char> bytes(count * length);
  checked(ExitCode::io_error, source.where, "read strings", [&] { return source.read(type, bytes.data()); });
  const H5T_str_t padding = H5Tget_strpad(type);
  std::vector<std::string> texts;
  texts.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    texts.push_back(text_from(std::span(bytes).subspan(i * length, length), padding));
  }
  return texts;
}

std::vector<std::string> read_variable(const Source& source, hid_t type, hid_t space, std::size_t count) {
  if (count > kMaxBytes / sizeof(char*)) {
    throw Error(ExitCode::bad_data, fmt::format("{}: claims {} strings", source.where, count));
  }
  std::vector<char*> pointers(count, nullptr);
  checked(ExitCode::io_error, source.where, "read strings",
          [&] { return source.read(type, pointers.data()); });
  std::vector<std::string> texts;
  texts.reserve(count);
  for (const char* text : pointers) texts.emplace_back(text == nullptr ? "" : text);
  checked(ExitCode::internal, source.where, "free strings",
          [&] { return H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data()); });
  return texts;
}

std::vector<std::string> read_all(const Source& source) {
  const Handle type(
      checked(ExitCode::bad_data, source.where, "read its type", [&] { return source.type(); }));
  if (H5Tget_class(type.get()) != H5T_STRING) {
    throw Error(ExitCode::bad_data, fmt::format("{}: holds no strings", source.where));
  }
  const Handle space(
      checked(ExitCode::bad_data, source.where, "read its shape", [&] { return source.space(); }));
  const auto count =
      static_cast<std::size_t>(checked(ExitCode::bad_data, source.where, "read its shape",
                                       [&] { return H5Sget_simple_extent_npoints(space.get()); }));
  if (count == 0) return {};
  return H5Tis_variable_str(type.get()) > 0 ? read_variable(source, type.get(), space.get(), count)
                                            : read_fixed(source, type.get(), count);
}

Handle open_attribute(hid_t file, const std::string& name, const std::string& where) {
  return Handle(checked(ExitCode::bad_data, where, "be opened",
                        [&] { return H5Aopen_by_name(file, "/", name.c_str(), H5P_DEFAULT, H5P_DEFAULT); }));
}

bool has_attribute(hid_t file, const std::string& name, const std::string& where) {
  return checked(ExitCode::bad_data, where, "be looked up",
                 [&] { return H5Aexists_by_name(file, "/", name.c_str(), H5P_DEFAULT); }) > 0;
}

void put_attribute(hid_t file, const std::string& name, const std::string& where, hid_t stored, hid_t memory,
                   const void* value) {
  const auto call = [&](auto&& make) { return checked(ExitCode::cant_create, where, "be written", make); };
  const Handle space(call([] { return H5Screate(H5S_SCALAR); }));
  const Handle attribute(call([&] {
    return H5Acreate_by_name(file, "/", name.c_str(), stored, space.get(), H5P_DEFAULT, H5P_DEFAULT,
                             H5P_DEFAULT);
  }));
  call([&] { return H5Awrite(attribute.get(), memory, value); });
}

std::string attribute_name(const std::filesystem::path& path, const std::string& name) {
  return fmt::format("{}: attribute '{}'", path.string(), name);
}

}  // namespace

void File::write_strings(const std::string& name, const std::vector<std::string>& values) {
  const std::string where = path_.string() + ":" + name;
  const auto call = [&](auto&& make) { return checked(ExitCode::cant_create, where, "be written", make); };
  std::size_t length = 1;
  for (const std::string& value : values) length = std::max(length, value.size());
  std::vector<char> bytes(values.size() * length, '\0');
  for (std::size_t i = 0; i < values.size(); ++i) values[i].copy(bytes.data() + i * length, length);
  const Handle type = string_type(where, length);
  const hsize_t count = values.size();
  const Handle space(call([&] { return H5Screate_simple(1, &count, nullptr); }));
  const Handle links(call([] { return H5Pcreate(H5P_LINK_CREATE); }));
  call([&] { return H5Pset_create_intermediate_group(links.get(), 1); });
  const Handle dataset(call([&] {
    return H5Dcreate2(handle_.get(), name.c_str(), type.get(), space.get(), links.get(), H5P_DEFAULT,
                      H5P_DEFAULT);
  }));
  if (values.empty()) return;
  call([&] { return H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()); });
}

std::vector<std::string> File::read_strings(const std::string& name) const {
  const std::string where = path_.string() + ":" + name;
  static_cast<void>(dataset(name));  // throws its message when there is none
  const Handle handle(checked(ExitCode::bad_data, where, "be opened as a dataset",
                              [&] { return H5Dopen2(handle_.get(), name.c_str(), H5P_DEFAULT); }));
  return read_all({handle.get(), false, where});
}

void File::write_attribute(const std::string& name, std::int64_t value) {
  put_attribute(handle_.get(), name, attribute_name(path_, name), H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

void File::write_attribute(const std::string& name, const std::string& value) {
  const std::string where = attribute_name(path_, name);
  const Handle type = string_type(where, H5T_VARIABLE);  // h5py returns such an attribute as `str`
  const char* text = value.c_str();
  put_attribute(handle_.get(), name, where, type.get(), type.get(), &text);
}

std::optional<std::int64_t> File::read_integer_attribute(const std::string& name) const {
  const std::string where = attribute_name(path_, name);
  if (!has_attribute(handle_.get(), name, where)) return std::nullopt;
  const Handle attribute = open_attribute(handle_.get(), name, where);
  const Handle type(
      checked(ExitCode::bad_data, where, "read its type", [&] { return H5Aget_type(attribute.get()); }));
  const Handle space(
      checked(ExitCode::bad_data, where, "read its shape", [&] { return H5Aget_space(attribute.get()); }));
  if (H5Tget_class(type.get()) != H5T_INTEGER || H5Sget_simple_extent_npoints(space.get()) != 1) {
    throw Error(ExitCode::bad_data, fmt::format("{}: is not one integer", where));
  }
  std::int64_t value = 0;
  checked(ExitCode::bad_data, where, "be read",
          [&] { return H5Aread(attribute.get(), H5T_NATIVE_INT64, &value); });
  return value;
}

std::optional<std::string> File::read_text_attribute(const std::string& name) const {
  const std::string where = attribute_name(path_, name);
  if (!has_attribute(handle_.get(), name, where)) return std::nullopt;
  const Handle attribute = open_attribute(handle_.get(), name, where);
  std::vector<std::string> texts = read_all({attribute.get(), true, where});
  if (texts.size() != 1) throw Error(ExitCode::bad_data, fmt::format("{}: is not one text", where));
  return std::move(texts.front());
}

}  // namespace polyhead::h5
