#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "polyhead/base/error.hpp"
#include "polyhead/checkpoint/exported_program.hpp"

using namespace polyhead;
using namespace polyhead::checkpoint;

/// Any bytes give a program whose names have one origin each, or an Error(bad_data).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const exported::Program program =
        exported::parse_program("fuzz.json", std::as_bytes(std::span(data, size)));
    std::set<std::string> names;
    for (const exported::Call& call : program.calls) {
      for (const std::string& output : call.outputs)
        if (!output.empty() && !names.insert(output).second) std::abort();
    }
    for (const auto& [name, type] : program.tensors) {
      for (const exported::Dimension& dimension : type.shape)
        static_cast<void>(exported::evaluate("fuzz.json", dimension, "s1", 16));
    }
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_data) std::abort();
  }
  return 0;
}
