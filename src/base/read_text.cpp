#include "polyhead/base/read_text.hpp"

#include <fstream>
#include <sstream>

namespace polyhead {

std::string read_text(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace polyhead
