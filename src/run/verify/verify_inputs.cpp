#include "verify_inputs.hpp"

#include <utility>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/config/load.hpp"
#include "run/setup/scratch_index.hpp"

namespace polyhead::run {
namespace {

namespace fs = std::filesystem;

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
