#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <type_traits>

#include "polyhead/base/error.hpp"
#include "polyhead/checkpoint/pickle.hpp"

using namespace polyhead;
using namespace polyhead::checkpoint::pickle;

namespace {

void check_id(const Document& document, Id id) {
  if (id >= document.objects.size()) std::abort();
}

void check_ids(const Document& document, const Object& object) {
  if (const auto* tuple = std::get_if<Tuple>(&object)) {
    for (const Id id : tuple->items) check_id(document, id);
  } else if (const auto* list = std::get_if<List>(&object)) {
    for (const Id id : list->items) check_id(document, id);
  } else if (const auto* dict = std::get_if<Dict>(&object)) {
    for (const auto& [key, value] : dict->items) {
      check_id(document, key);
      check_id(document, value);
    }
  } else if (const auto* opaque = std::get_if<Opaque>(&object)) {
    check_id(document, opaque->type);
    if (opaque->state != kNoId) check_id(document, opaque->state);
  } else if (const auto* tensor = std::get_if<Tensor>(&object)) {
    if (!std::holds_alternative<std::string>(document.objects.at(tensor->storage.key))) std::abort();
  }
}

}  // namespace

/// Any bytes give objects that refer to objects, or an Error(bad_data).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const Document document = parse(std::as_bytes(std::span(data, size)), "fuzz.pth");
    check_id(document, document.root);
    if (document.size > size) std::abort();
    for (Id id = 0; id < document.objects.size(); ++id) {
      check_ids(document, document.objects[id]);
      type_name(document, id);
      is_module(document, id);
    }
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_data) std::abort();
  }
  return 0;
}
