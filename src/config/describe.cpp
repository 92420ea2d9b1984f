#include <fmt/format.h>

#include "config/yaml/emit.hpp"
#include "options.hpp"
#include "polyhead/config/load.hpp"

namespace polyhead::config {
namespace {

/// Appends "data.path" and, indented, its description; nested keys follow their section.
void append(const std::vector<OptionDoc>& options, const std::string& prefix, std::string& out) {
  for (const OptionDoc& doc : options) {
    const std::string key = prefix + doc.key;
    const bool is_section = !doc.options.empty();
    const std::string fallback = doc.fallback == "required" ? doc.fallback : "default " + doc.fallback;
    const std::string kind = doc.fallback.empty() ? doc.type : fmt::format("{}; {}", doc.type, fallback);
    out += fmt::format("{}\n    {}\n    {}\n\n", key, kind, doc.help);
    if (is_section) append(doc.options, key + (doc.is_list ? "[]." : "."), out);
  }
}

}  // namespace

std::string to_yaml(const Config& config) {
  return emit(options().write(config));
}

std::string reference() {
  std::string out =
      "Relative paths are relative to the file's folder, those of --set to the working directory. In paths "
      "~/, "
      "$NAME and ${NAME}\nstand for the home folder and environment variables, $$ for a $; the result file "
      "records the whole path.\n\n";
  append(options().options, "", out);
  return out;
}

}  // namespace polyhead::config
