#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "data/list/manifest.hpp"
#include "polyhead/base/error.hpp"

using namespace polyhead;

/// Any bytes give paths inside the root with labels that the classes cover, or an Error(bad_data). The first
/// byte chooses the kind of file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const char* const names[] = {"list.csv", "list.tsv", "list.txt"};
  std::istringstream in(std::string(reinterpret_cast<const char*>(bytes) + 1, size - 1));
  // The second bit of the byte's upper half lets absolute paths lead out of the root, the first names the
  // classes.
  const bool strict = (bytes[0] & 0x20U) == 0;
  data::Manifest manifest(in, {.where = names[bytes[0] % 3],
                               .root = "/data/root",
                               .strict = strict,
                               .named = (bytes[0] & 0x10U) != 0});
  try {
    manifest.check();
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_data) std::abort();
    return 0;
  }
  const auto classes = static_cast<std::int32_t>(manifest.class_names().size());
  try {  // whatever passed the check can be listed, but for an image with two labels
    manifest.list([&](const std::string& path, std::int32_t label) {
      if (path.empty() || (strict && path.starts_with('/')) || path.find('\0') != std::string::npos)
        std::abort();
      if (path == ".." || path.starts_with("../") || path.find("/../") != std::string::npos) std::abort();
      if (label < -1 || (classes > 0 && label >= classes)) std::abort();
    });
  } catch (const Error& error) {
    if (std::string(error.what()).find("one label an image") == std::string::npos) std::abort();
  }
  return 0;
}
