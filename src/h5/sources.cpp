#include "sources.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <hdf5.h>

#include "check.hpp"
#include "coverage.hpp"
#include "filters.hpp"
#include "polyhead/base/text.hpp"
#include "selection.hpp"
#include "storage.hpp"

namespace polyhead::h5 {
namespace {

using namespace detail;
namespace fs = std::filesystem;

constexpr int kDeepest = 16;  // levels of virtual datasets in virtual datasets

/// State common to all levels: a source with many references is checked once.
struct Visited {
  std::set<fs::path> files;
  std::set<std::pair<std::string, std::string>> datasets;  ///< file and name
};

class Sources {
 public:
  Sources(hid_t dataset, std::string where, int depth, Visited& visited)
      : dataset_(dataset), where_(std::move(where)), depth_(depth), visited_(visited) {}
  void check();

 private:
  void check_virtual();
  void check_mapping(std::size_t number, const Extent& extent, Coverage& coverage);
  void check_source(const std::string& file, const std::string& name, hid_t selected, const Extent& wanted);
  void check_grown_source(const std::string& file, const std::string& name, const Endless& selected,
                          std::uint64_t needed);
  void check_bounds(hid_t selected, const Extent& there, const std::string& source) const;
  [[noreturn]] void too_small(const std::string& source, std::size_t dimension, std::uint64_t found,
                              std::uint64_t needed) const;
  const Extent& open(const std::string& file, const std::string& name);
  Handle open_file(const std::string& name);
  [[nodiscard]] fs::path path() const;

  hid_t dataset_;
  std::string where_;
  int depth_;
  Visited& visited_;
  Handle properties_;
  Handle file_;
  // Last source that was checked: thousands of mappings of one file may follow each other.
  std::string last_file_;
  std::string last_name_;
  std::string last_where_;
  std::optional<Extent> last_;
};

void Sources::check() {
  if (depth_ > kDeepest) {
    throw Error(ExitCode::bad_data,
                fmt::format("{}: is a virtual dataset whose sources are virtual, and so on {} times: do they "
                            "name each other?",
                            where_, kDeepest));
  }
  properties_ = Handle(
      checked(ExitCode::bad_data, where_, "read its layout", [&] { return H5Dget_create_plist(dataset_); }));
  file_ =
      Handle(checked(ExitCode::bad_data, where_, "find its file", [&] { return H5Iget_file_id(dataset_); }));
  const H5D_layout_t layout = H5Pget_layout(properties_.get());
  if (layout == H5D_VIRTUAL) return check_virtual();
  if (H5Pget_external_count(properties_.get()) > 0)
    return check_external(dataset_, properties_.get(), where_, path(), visited_.files);
  check_filters(dataset_, where_);
  check_written(dataset_, layout, where_);
}

fs::path Sources::path() const {
  return told_text(where_, [&](char* to, std::size_t size) { return H5Fget_name(file_.get(), to, size); });
}

void Sources::check_virtual() {
  std::size_t count = 0;
  read_sources(where_, [&] { return H5Pget_virtual_count(properties_.get(), &count); });
  const Extent extent = extent_of_dataset(dataset_, where_);
  Coverage coverage(extent, where_);
  for (std::size_t i = 0; i < count; ++i) check_mapping(i, extent, coverage);
  const std::uint64_t all = values_in(extent);
  const std::uint64_t mapped = coverage.values();
  if (mapped >= all) return;
  throw Error(ExitCode::bad_data,
              fmt::format("{}: is a virtual dataset of {} values, of which {} come from a source: the others "
                          "would be the fill value; expected a source for all",
                          where_, all, mapped));
}

void Sources::check_mapping(std::size_t number, const Extent& extent, Coverage& coverage) {
  const hid_t list = properties_.get();
  const auto read = [&](auto&& call) { return read_sources(where_, call); };
  const std::string file = told_text(
      where_, [&](char* to, std::size_t size) { return H5Pget_virtual_filename(list, number, to, size); });
  const std::string name = told_text(
      where_, [&](char* to, std::size_t size) { return H5Pget_virtual_dsetname(list, number, to, size); });
  const Handle target(read([&] { return H5Pget_virtual_vspace(list, number); }));
  const Handle source(read([&] { return H5Pget_virtual_srcspace(list, number); }));
  coverage.add(target.get());
  const auto grows = endless(target.get(), extent.rank);
  if (!grows) {
    const Extent shape = selected_shape(target.get(), extent, where_);
    return check_source(block_name(file, 0), block_name(name, 0), source.get(), shape);
  }
  const hsize_t end = extent.sides.at(grows->along);
  if (const auto grown = endless(source.get(), extent_of(source.get(), where_).rank))
    return check_grown_source(file, name, *grown, grows->length(end));
  const bool one_source =
      block_name(file, 0) == block_name(file, 1) && block_name(name, 0) == block_name(name, 1);
  const std::uint64_t sources =
      one_source ? std::min<std::uint64_t>(1, grows->blocks(end)) : grows->blocks(end);
  for (std::uint64_t block = 0; block < sources; ++block)
    check_source(block_name(file, block), block_name(name, block), source.get(), grows->piece);
}

/// `wanted`: rows of this dataset that the whole source stands for.
void Sources::check_source(const std::string& file, const std::string& name, hid_t selected,
                           const Extent& wanted) {
  const Extent& there = open(file, name);
  if (H5Sget_select_type(selected) != H5S_SEL_ALL) return check_bounds(selected, there, last_where_);
  if (begins_with(there, wanted)) return;
  throw Error(
      ExitCode::bad_data,
      fmt::format("{}: is a virtual dataset that takes rows from {}, which has the shape {}; expected {}",
                  where_, last_where_, shown(there), shown(wanted)));
}

void Sources::check_grown_source(const std::string& file, const std::string& name, const Endless& selected,
                                 std::uint64_t needed) {
  const Extent& there = open(file, name);
  const std::uint64_t found = selected.length(there.sides.at(selected.along));
  if (found < needed) too_small(last_where_, selected.along, found, needed);
}

void Sources::check_bounds(hid_t selected, const Extent& there, const std::string& source) const {
  Dimensions first{};
  Dimensions last{};
  if (H5Sget_select_npoints(selected) <= 0) return;
  read_sources(where_, [&] { return H5Sget_select_bounds(selected, first.data(), last.data()); });
  const std::size_t rank = extent_of(selected, where_).rank;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::uint64_t found = i < there.rank ? there.sides[i] : 0;
    if (last[i] >= found) too_small(source, i, found, last[i] + 1);
  }
}

void Sources::too_small(const std::string& source, std::size_t dimension, std::uint64_t found,
                        std::uint64_t needed) const {
  throw Error(
      ExitCode::bad_data,
      fmt::format("{}: is a virtual dataset that takes rows from {}, which is too small: dimension {} "
                  "has {}; expected at least {}. HDF5 would read fill values in place of the rest",
                  where_, source, dimension, found, needed));
}

const Extent& Sources::open(const std::string& file, const std::string& name) {
  if (last_ && file == last_file_ && name == last_name_) return *last_;
  const Handle source_file = open_file(file);
  last_where_ = fmt::format("{}:{}", file, name);
  silence();
  const Handle dataset(H5Dopen2(source_file.get(), name.c_str(), H5P_DEFAULT));
  if (dataset.get() < 0) {
    throw Error(
        ExitCode::bad_data,
        fmt::format("{}: is a virtual dataset that takes rows from '{}' in the file {}, which has no such "
                    "dataset: HDF5 would read fill values in its place",
                    where_, name, file));
  }
  const std::string full_name = told_text(
      last_where_, [&](char* to, std::size_t size) { return H5Fget_name(source_file.get(), to, size); });
  if (!visited_.datasets.contains({full_name, name})) {
    Sources(dataset.get(), last_where_, depth_ + 1, visited_).check();
    visited_.datasets.emplace(full_name, name);  // not before: a circle must go on until it is too deep
  }
  last_file_ = file;
  last_name_ = name;
  last_ = extent_of_dataset(dataset.get(), last_where_);
  return *last_;
}

Handle Sources::open_file(const std::string& name) {
  const fs::path parent = path();
  if (name == ".")
    return Handle(checked(ExitCode::bad_data, where_, "open it", [&] { return H5Freopen(file_.get()); }));
  const Handle access(checked(ExitCode::bad_data, where_, "read its properties",
                              [&] { return H5Fget_access_plist(file_.get()); }));
  std::vector<std::string> tried;
  bool there = false;
  for (const fs::path& candidate : virtual_candidates(parent, name)) {
    silence();
    Handle file(H5Fopen(candidate.c_str(), H5F_ACC_RDONLY, access.get()));
    if (file.get() >= 0) {
      visited_.files.insert(candidate);
      return file;
    }
    std::error_code ignored;
    there = there || fs::exists(candidate, ignored);
    if (std::ranges::find(tried, candidate.string()) == tried.end()) tried.push_back(candidate.string());
  }
  throw Error(
      there ? ExitCode::bad_data : ExitCode::no_input,
      fmt::format("{}: is a virtual dataset that takes rows from '{}', which {} (tried {}): HDF5 would "
                  "read fill values in its place. Bring the file there, or name its folder in "
                  "HDF5_VDS_PREFIX",
                  where_, name, there ? "cannot be read as HDF5" : "is missing", join(tried)));
}

}  // namespace

std::vector<fs::path> Dataset::check_sources() const {
  Visited visited;
  Sources(handle_.get(), where_, 0, visited).check();
  return {visited.files.begin(), visited.files.end()};
}

}  // namespace polyhead::h5
