#include "lookalike.hpp"

#include <algorithm>
#include <array>
#include <system_error>

#include <fmt/format.h>

#include "polyhead/checkpoint/fail.hpp"

namespace polyhead::checkpoint {
namespace {

using namespace std::string_view_literals;

struct Lookalike {
  std::size_t at;
  std::string_view bytes;
  std::string_view text;
};

constexpr std::string_view kImage = "is an image; images belong to data.path";

/// Kinds of files that people mistake for weights, by their first bytes; the first that fits counts.
constexpr std::array<Lookalike, 21> kLookalikes{{
    {257, "ustar"sv,
     "is a tar archive: unpack it with tar -xf and use the weights file in it (torch.save's tar format of "
     "2016 is not "
     "read: torch.load it with weights_only=False and save model.state_dict())"},
    {0, "\x80"sv, "is a bare pickle: save model.state_dict() with a current torch.save"},
    {0, "<"sv, "looks like an HTML or XML page: did a download go wrong?"},
    {0, "version https://git-lfs"sv, "is a Git LFS pointer, not the file itself: run git lfs pull"},
    {0, "\x89HDF\r\n"sv,
     "is an HDF5 file, as Keras writes them: load it with the program that wrote it and save the weights as "
     "safetensors under PyTorch's names"},
    {0, "\x1f\x8b"sv, "is compressed with gzip: unpack it with gunzip"},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     "is compressed with xz: unpack it with unxz"},
    {0, "BZh"sv, "is compressed with bzip2: unpack it with bunzip2"},
    {0, "\x28\xb5\x2f\xfd"sv, "is compressed with zstd: unpack it with unzstd"},
    {0, "7z\xbc\xaf\x27\x1c"sv, "is a 7z archive: unpack it with 7z x"},
    {0, "Rar!"sv, "is a RAR archive: unpack it with unrar"},
    {0, "\x93NUMPY"sv, "is a NumPy array: torch.save({NAME: torch.from_numpy(array)}, FILE)"},
    {0, "GGUF"sv, "is a GGUF file: its origin on the hub has the safetensors file"},
    {0, "PAR1"sv, "is a Parquet table; tables belong to data.path"},
    {4, "TFL3"sv, "is a TensorFlow Lite model: save the PyTorch model's state_dict() instead"},
    {8, "WEBP"sv, kImage},
    {4, "ftyp"sv, kImage},
    {0, "\xff\xd8\xff"sv, kImage},
    {0, "\x89PNG"sv, kImage},
    {0, "GIF8"sv, kImage},
    {0,
     "\x7f"
     "ELF"sv,
     "is a program or library"},
}};

/// Whether the bytes are a protocol buffer whose first field is a small version number, followed by one of
/// the fields that ONNX has next.
bool looks_like_onnx(std::string_view start) {
  constexpr std::string_view kNextFields = "\x12\x1a\x22\x3a\x42"sv;
  return start.size() > 3 && start[0] == '\x08' && start[1] > 0 && start[1] < 32 &&
         kNextFields.find(start[2]) != std::string_view::npos;
}

bool looks_like_text(std::string_view start) {
  return !start.empty() && std::all_of(start.begin(), start.end(), [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return code >= 0x20 ? code != 0x7f : c == '\n' || c == '\r' || c == '\t';
  });
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    text += fmt::format("{}{:02x}", text.empty() ? "" : " ", static_cast<unsigned char>(c));
  }
  return text;
}

std::string describe_text(const std::filesystem::path& path, std::string_view start) {
  const bool index =
      path.string().ends_with(".index.json") || start.find("weight_map") != std::string_view::npos;
  if (start.starts_with('{') && index) {
    return "is the index of weights in several files, which polyhead does not join: load the model and "
           "save_pretrained(FOLDER, max_shard_size='100GB')";
  }
  if (start.starts_with('{')) return "is a JSON file: name the weights file beside it";
  return fmt::format("is a text file that starts with '{}'", printable(start.substr(0, 24)));
}

bool has(const std::vector<std::string>& names, std::string_view end) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return name.ends_with(end); });
}

/// First file of a folder that may hold weights, by the usual names; empty when there is none.
std::string weights_in(const std::filesystem::path& folder) {
  for (const char* name : {"model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors",
                           "model.pth", "model.pt", "checkpoint.pth"}) {
    std::error_code ignored;
    if (std::filesystem::exists(folder / name, ignored)) return name;
  }
  return {};
}

}  // namespace

std::string describe_file(const std::filesystem::path& path, std::string_view start) {
  if (start.empty()) return "is empty";
  for (const Lookalike& lookalike : kLookalikes) {
    if (start.size() >= lookalike.at && start.substr(lookalike.at).starts_with(lookalike.bytes)) {
      return std::string(lookalike.text);
    }
  }
  if (looks_like_onnx(start))
    return "is an ONNX file: save the PyTorch model's state_dict() with torch.save instead";
  if (looks_like_text(start)) return describe_text(path, start);
  return fmt::format("is in no format that polyhead knows (it starts with {})", hex(start.substr(0, 8)));
}

std::string describe_zip(const std::vector<std::string>& names) {
  if (has(names, "archive_format") || has(names, "serialized_exported_program.json")) {
    return "is an archive of torch.export.save: save the module's state_dict() with torch.save instead";
  }
  if (has(names, "constants.pkl")) {
    return "is a TorchScript archive; save model.state_dict() with torch.save instead";
  }
  if (has(names, "model.weights.h5")) {
    return "is a Keras model: save its weights as safetensors under PyTorch's names";
  }
  if (has(names, ".npy")) {
    return "is an .npz file of NumPy: torch.save({n: torch.from_numpy(a) for n, a in "
           "numpy.load(FILE).items()}, "
           "'weights.pth')";
  }
  for (const char* suffix : {".pth", ".pt", ".ckpt", ".bin", ".safetensors", ".tar"}) {
    const auto inner = std::find_if(names.begin(), names.end(),
                                    [&](const std::string& name) { return name.ends_with(suffix); });
    if (inner != names.end()) {
      return fmt::format("is a zip file around '{}': unpack it with unzip and use that", printable(*inner));
    }
  }
  return "is a zip file, but not one of torch.save: it has no data.pkl";
}

std::string describe_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (std::filesystem::exists(folder / ".metadata", ignored)) {
    return fmt::format(
        "a checkpoint of torch.distributed.checkpoint; make a file of it: python -m "
        "torch.distributed.checkpoint.format_utils dcp_to_torch {} weights.pth",
        folder.string());
  }
  const std::string file = weights_in(folder);
  if (!file.empty()) return fmt::format("name the file in it: {}", (folder / file).string());
  if (std::filesystem::exists(folder / "model.safetensors.index.json", ignored)) {
    return "its weights are in several files, which polyhead does not join: load the model and "
           "save_pretrained(FOLDER, "
           "max_shard_size='100GB')";
  }
  return "name a file of weights in it";
}

}  // namespace polyhead::checkpoint
