#include "polyhead/base/own_file.hpp"

#include <fstream>
#include <string>
#include <system_error>

namespace polyhead {

bool may_write_over(const std::filesystem::path& path, std::string_view own_beginning) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return true;
  if (!std::filesystem::is_regular_file(status)) return std::filesystem::is_character_file(status);
  std::ifstream file(path, std::ios::binary);
  std::string beginning(own_beginning.size(), '\0');
  file.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  return file.is_open() && (file.gcount() == 0 || beginning == own_beginning);
}

}  // namespace polyhead
