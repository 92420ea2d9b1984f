#include "scratch_index.hpp"

#include <cerrno>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <stdlib.h>

#include "polyhead/base/error.hpp"

namespace polyhead::run {

namespace fs = std::filesystem;

ScratchIndex::ScratchIndex(const fs::path& existing) {
  std::string name = (fs::temp_directory_path() / "polyhead-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw Error(ExitCode::cant_create,
                fmt::format("{}: a folder for the list of samples cannot be made there: {}; set TMPDIR to a "
                            "folder that can be written",
                            name, std::generic_category().message(errno)));
  }
  folder_ = name;
  std::error_code none;  // without a link the list is made anew
  if (fs::exists(existing, none)) fs::create_symlink(fs::absolute(existing), path(), none);
}

ScratchIndex::~ScratchIndex() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace polyhead::run
