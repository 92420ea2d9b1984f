#include "polyhead/checkpoint/checkpoint.hpp"

#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "checkpoint/torch/legacy_pth.hpp"
#include "input_file.hpp"
#include "lookalike.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/checkpoint/fail.hpp"

namespace polyhead::checkpoint {
namespace {

/// Whether the file is safetensors: its brace follows a length whose upper bytes are 0. A JSON file may also
/// have a brace there.
bool is_safetensors(std::string_view start) {
  constexpr std::size_t kBrace = 8;
  const bool json = start.starts_with('{') && start.size() > kBrace && start[kBrace - 1] != '\0';
  return start.size() > kBrace && start[kBrace] == '{' && !json;
}

}  // namespace

Checkpoint read_checkpoint(const std::filesystem::path& path, const std::string& key) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw Error(ExitCode::no_input,
                fmt::format("{}: cannot be read: it is a folder; {}", path.string(), describe_folder(path)));
  }
  const std::string start = first_bytes(path);
  if (start.starts_with("PK\x03\x04") || is_legacy_pth(start)) return read_pth(path, key);
  if (is_safetensors(start)) return read_safetensors(path);
  bad_data(path, fmt::format("{}; expected a safetensors file or a state_dict of torch.save",
                             describe_file(path, start)));
}

}  // namespace polyhead::checkpoint
