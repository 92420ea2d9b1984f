#include "output_check.hpp"

#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/data/holds_file.hpp"
#include "polyhead/store/existing.hpp"

namespace polyhead::run {
namespace {

namespace fs = std::filesystem;

struct Named {
  std::string name;  ///< "backbone.weights"
  fs::path path;
};

std::vector<Named> files_read(const config::Config& config, const fs::path& yaml) {
  std::vector<Named> inputs{{"the configuration", yaml},
                            {"data.path", config.data.path},
                            {"data.classes", config.data.classes.file},
                            {"backbone.weights", config.backbone.weights},
                            {"run.against", config.run.against}};
  for (const config::Head& head : config.heads)
    inputs.push_back({fmt::format("{} of {} '{}'", head.program.empty() ? "weights" : "program",
                                  head.is_whole() ? "member" : "head", head.name),
                      head.file()});
  return inputs;
}

std::vector<Named> files_written(const fs::path& output) {
  return {{"output.path", output},
          {"the lock of output.path", store::target_of(output).string() + ".lock"},
          {"the list of samples beside output.path", output.string() + ".index"}};
}

bool is_same_file(const fs::path& one, const fs::path& other) {
  std::error_code not_there;
  return !one.empty() && !other.empty() && fs::equivalent(one, other, not_there);
}

[[noreturn]] void fail_as_input(const Named& output, const std::string& input) {
  throw Error(ExitCode::config,
              fmt::format("{}: is both {} and {}: a run would write over what it computes from. Choose "
                          "another output.path",
                          output.path.string(), output.name, input));
}

}  // namespace

void check_output_is_no_input(const config::Config& config, const fs::path& yaml) {
  const fs::path& path = config.output.path;
  for (const Named& output : files_written(path)) {
    for (const Named& input : files_read(config, yaml)) {
      if (is_same_file(output.path, input.path)) fail_as_input(output, input.name);
    }
  }
  // A result may lie among the images; it is no image, and the list of samples does not name it.
  if (store::occupant_of(path) != store::Occupant::stranger) return;
  if (data::holds_file(config.data, store::target_of(path)))
    fail_as_input({"output.path", path}, "a part of data.path");
}

}  // namespace polyhead::run
