#include "verify_inputs.hpp"

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <stdlib.h>

#include "polyhead/base/error.hpp"
#include "polyhead/config/load.hpp"

namespace polyhead::run {
namespace {

namespace fs = std::filesystem;

/// A place for the list of samples that goes with the object. An existing list is linked there: it is read if
/// it is still right, and what replaces it replaces the link.
class ScratchIndex {
 public:
  explicit ScratchIndex(const fs::path& existing) {
    std::string name = (fs::temp_directory_path() / "polyhead-verify-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw Error(
          ExitCode::cant_create,
          fmt::format("{}: a folder for the list of samples cannot be made there: {}; set TMPDIR to a "
                      "folder that can be written",
                      name, std::generic_category().message(errno)));
    }
    folder_ = name;
    std::error_code none;  // without a link the list is made anew
    if (fs::exists(existing, none)) fs::create_symlink(fs::absolute(existing), path(), none);
  }
  ~ScratchIndex() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  ScratchIndex(const ScratchIndex&) = delete;
  ScratchIndex& operator=(const ScratchIndex&) = delete;
  [[nodiscard]] fs::path path() const { return folder_ / "samples.index"; }

 private:
  fs::path folder_;
};

config::Loaded stored_config(const store::Reader& reader, const VerifyOptions& options) {
  const std::string name = options.result.string() + ":/job/config";
  const std::string text = reader.text("config");
  if (text.empty())
    throw Error(ExitCode::bad_data, name + ": is empty: without it nothing can be recomputed");
  config::Loaded loaded = config::parse(text, name, "/", options.overrides);
  if (options.data) loaded.config.data.path = fs::absolute(*options.data);
  try {
    config::resolve_files(loaded);
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("{}\nWhere inputs have moved, name them with --data or --set", error.what()));
  }
  return loaded;
}

}  // namespace

Inputs inputs_of(const store::Reader& reader, const VerifyOptions& options) {
  config::Config config = stored_config(reader, options).config;
  // `auto` was decided when the run began.
  if (!config.parallel.batch) config.parallel.batch = static_cast<int>(reader.layout().batch);
  const ScratchIndex index(options.result.string() + ".index");
  return open_inputs(std::move(config), index.path());
}

}  // namespace polyhead::run
